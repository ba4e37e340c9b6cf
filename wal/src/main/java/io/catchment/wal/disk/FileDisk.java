package io.catchment.wal.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** A directory of a real file system, locked against a second process while open. Thread-safe. */
public final class FileDisk implements Disk, AutoCloseable {
    private static final String LOCK = "lock";
    private static final int ZEROS_BYTES = 256 << 10;

    private final Path dir;
    private final FileChannel lockChannel;

    private final FileStore fileStore;
    private final ByteBuffer zeros = DirectFill.zeros(ZEROS_BYTES);

    private FileDisk(Path dir, FileChannel lockChannel, FileStore fileStore) {
        this.dir = dir;
        this.fileStore = fileStore;
        this.lockChannel = lockChannel;
    }

    /** Creates the directory if it is missing. Fails if another process has it open; throws {@link IllegalStateException} if this one has. */
    public static FileDisk open(Path dir) throws IOException {
        Files.createDirectories(dir);
        FileChannel channel = FileChannel.open(dir.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean locked = false;
        try {
            FileStore fileStore = Files.getFileStore(dir);
            locked = channel.tryLock() != null;
            if (locked) {
                return new FileDisk(dir, channel, fileStore);
            }
            throw new IOException("WAL directory " + dir + " is in use by another process");
        } catch (OverlappingFileLockException inThisProcess) {
            throw new IllegalStateException("WAL directory " + dir + " is still open in this process", inThisProcess);
        } finally {
            if (!locked) {
                channel.close();
            }
        }
    }

    @Override
    public List<String> list() throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.equals(LOCK))
                    .toList();
        }
    }

    @Override
    public DiskFile create(String name) throws IOException {
        return new ChannelFile(FileChannel.open(
                dir.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    @Override
    public ZeroFill fill(String name) throws IOException {
        return DirectFill.create(dir.resolve(name), zeros);
    }

    @Override
    public DiskFile open(String name) throws IOException {
        return new ChannelFile(FileChannel.open(dir.resolve(name), StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(dir.resolve(from), dir.resolve(to), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.deleteIfExists(dir.resolve(name));
    }

    @Override
    public void syncNames() throws IOException {
        try (FileChannel directory = FileChannel.open(dir, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    @Override
    public long usableBytes() throws IOException {
        return fileStore.getUsableSpace();
    }

    @Override
    public void close() throws IOException {
        lockChannel.close();
    }
}
