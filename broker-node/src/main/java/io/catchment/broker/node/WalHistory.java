package io.catchment.broker.node;

import io.catchment.wal.node.LocalWal;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.apache.kafka.common.Uuid;

/**
 * Which history the extents in a WAL directory are of: written before the first of them, and never changed while there are any. To a
 * control plane of another history they are unknown, and what it does not know a node deletes. Without the file it is one that has no id.
 */
final class WalHistory {
    private static final String FILE = "history.id";

    private WalHistory() {}

    /**
     * Before the WAL is opened. Answers what is wrong and what to do, if it must not be.
     *
     * @throws IOException also when the file cannot be understood
     */
    static Optional<String> claim(Path directory, Uuid historyId) throws IOException {
        Uuid known = read(directory.resolve(FILE));
        if (known.equals(historyId)) {
            return Optional.empty();
        }
        if (LocalWal.hasExtents(directory)) {
            return Optional.of(
                    "the WAL directory " + directory + " holds extents of another history of this cluster (" + known
                            + ", the controllers have " + historyId
                            + "), with records that may be nowhere else. If the controllers have lost their directories, stop all nodes and run"
                            + " `catchment recover` with a new catchment.cluster.id. Only when nothing of this WAL is wanted any more, empty"
                            + " the directory");
        }
        write(directory, historyId);
        return Optional.empty();
    }

    private static Uuid read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Uuid.ZERO_UUID;
        }
        try {
            return Uuid.fromString(Files.readString(file).trim());
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is damaged, it has no id of a history; restore it", e);
        }
    }

    private static void write(Path directory, Uuid historyId) throws IOException {
        Files.createDirectories(directory);
        Path draft = directory.resolve(FILE + ".new");
        Files.writeString(draft, historyId + "\n");
        sync(draft, StandardOpenOption.WRITE);
        Files.move(draft, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        sync(directory, StandardOpenOption.READ);
    }

    private static void sync(Path file, StandardOpenOption as) throws IOException {
        try (FileChannel channel = FileChannel.open(file, as)) {
            channel.force(true);
        }
    }
}
