package io.catchment.objectstore.file;

import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.PiecedBuffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The blocking disk work of a directory store; owned by nobody, any thread may call it. A write goes to a temporary file, which is synced
 * and then renamed (or linked, where the key must be new); the directory is synced last, so the object is there whole or not at all (O1).
 */
final class ObjectFiles {
    private static final String TEMPORARY = ".tmp";
    private static final long TEMPORARY_AGE_MAX_MS = 3_600_000;

    private final Path root;
    private final ByteBufAllocator allocator;
    private volatile boolean rootSeen;
    private volatile boolean swept;

    ObjectFiles(Path root, ByteBufAllocator allocator) {
        this.root = root.toAbsolutePath().normalize();
        this.allocator = allocator;
    }

    void write(String key, ByteBuf body, boolean replace) throws IOException {
        requireRoot();
        Path target = KeyPaths.path(root, key);
        Path directory = parent(target);
        if (!Files.isDirectory(directory)) {
            createDirectories(directory);
        }
        Path temporary = temporaryDirectory().resolve(UUID.randomUUID().toString());
        try {
            SyncedFile.write(temporary, body, allocator);
            if (replace) {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.createLink(target, temporary);
            }
        } finally {
            Files.deleteIfExists(temporary);
        }
        sync(directory);
    }

    /** The caller releases the answer. */
    ByteBuf read(String key, long position, int length) throws IOException {
        requireRoot();
        ByteBuf buffer = PiecedBuffers.allocate(allocator, length);
        try (FileChannel channel = FileChannel.open(KeyPaths.path(root, key), StandardOpenOption.READ)) {
            ByteBuffer[] room = buffer.nioBuffers(0, length);
            channel.position(position);
            int piece = 0;
            while (piece < room.length) {
                if (!room[piece].hasRemaining()) {
                    piece++;
                } else if (channel.read(room, piece, room.length - piece) < 0) {
                    throw new ObjectStoreException(
                            Reason.CORRUPT,
                            "object " + key + " has " + channel.size() + " bytes, wanted were " + length + " from "
                                    + position,
                            null);
                }
            }
            return buffer.writerIndex(length);
        } catch (IOException | RuntimeException failed) {
            buffer.release();
            throw failed;
        }
    }

    void delete(List<String> keys) throws IOException {
        requireRoot();
        Set<Path> changed = new LinkedHashSet<>();
        for (String key : keys) {
            Path file = KeyPaths.path(root, key);
            if (Files.deleteIfExists(file)) {
                changed.add(parent(file));
            }
        }
        for (Path directory : changed) {
            sync(directory);
        }
    }

    List<Listed> list(String prefix) throws IOException {
        requireRoot();
        Path start = KeyPaths.directory(root, prefix);
        List<Listed> found = new ArrayList<>();
        if (Files.isDirectory(start)) {
            try (Stream<Path> tree = Files.walk(start)) {
                for (Path path : (Iterable<Path>) tree::iterator) {
                    addIfObject(path, prefix, found);
                }
            } catch (UncheckedIOException wrapped) {
                throw wrapped.getCause();
            }
        }
        found.sort(Comparator.comparing(
                listed -> listed.key().getBytes(StandardCharsets.UTF_8), (a, b) -> Arrays.compareUnsigned(a, b)));
        return found;
    }

    private void addIfObject(Path path, String prefix, List<Listed> found) throws IOException {
        if (path.startsWith(root.resolve(TEMPORARY)) || !Files.isRegularFile(path)) {
            return;
        }
        String key = KeyPaths.key(root, path);
        if (key.startsWith(prefix)) {
            try {
                found.add(new Listed(key, Files.size(path)));
            } catch (NoSuchFileException deletedMeanwhile) {
                // Not listed then.
            }
        }
    }

    /** What a failure of disk work means to the store's user. */
    ObjectStoreException explain(String what, Throwable failed) {
        if (failed instanceof ObjectStoreException known) {
            return known;
        }
        String message = what + " in " + root + ": " + failed;
        if (failed instanceof NoSuchFileException) {
            return new ObjectStoreException(Reason.NOT_FOUND, message, failed);
        }
        if (failed instanceof FileAlreadyExistsException) {
            return new ObjectStoreException(Reason.ALREADY_EXISTS, message, failed);
        }
        if (failed instanceof AccessDeniedException || !(failed instanceof IOException)) {
            return new ObjectStoreException(Reason.REFUSED, message, failed);
        }
        return new ObjectStoreException(Reason.TRANSIENT, message, failed);
    }

    private Path temporaryDirectory() throws IOException {
        Path directory = root.resolve(TEMPORARY);
        if (!Files.isDirectory(directory)) {
            createDirectories(directory);
        }
        if (!swept) {
            swept = true;
            sweep(directory);
        }
        return directory;
    }

    /** Removes what writers that died left behind; the age spares those that another process writes now. */
    private static void sweep(Path directory) throws IOException {
        long before = System.currentTimeMillis() - TEMPORARY_AGE_MAX_MS;
        try (Stream<Path> left = Files.list(directory)) {
            for (Path file : (Iterable<Path>) left::iterator) {
                try {
                    if (Files.getLastModifiedTime(file).toMillis() < before) {
                        Files.deleteIfExists(file);
                    }
                } catch (NoSuchFileException goneMeanwhile) {
                    // Another process swept it, or its write ended.
                }
            }
        }
    }

    /** Each directory that was missing is synced into its parent. */
    private static void createDirectories(Path directory) throws IOException {
        Path above = directory.getParent();
        if (above != null && !Files.isDirectory(above)) {
            createDirectories(above);
        }
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException raced) {
            if (!Files.isDirectory(directory)) {
                throw new FileSystemException(directory.toString(), null, "is not a directory");
            }
        }
        if (above != null) {
            sync(above);
        }
    }

    /**
     * The first operation creates the root. Once seen it is never created again: when it is gone later, a mount is, and an empty
     * directory in its place would make published objects look deleted.
     */
    private void requireRoot() throws IOException {
        // In this order: another thread may make it in between, and then it was not seen before
        boolean seenBefore = rootSeen;
        if (!Files.isDirectory(root)) {
            if (seenBefore) {
                throw new FileSystemException(root.toString(), null, "the object store's directory is gone");
            }
            createDirectories(root);
        }
        rootSeen = true;
    }

    private static void sync(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static Path parent(Path path) {
        Path parent = path.getParent();
        if (parent == null) {
            throw new IllegalStateException(path + " has no parent");
        }
        return parent;
    }
}
