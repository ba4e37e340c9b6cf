package io.catchment.chaos.history;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Acknowledgements of one producer on disk, for a producer that is another process: partition, offset, sequence, CRC, 24 bytes
 * each, big-endian; a partition of -1 is a failed send. Owned by nobody: calls are serialised by a lock.
 */
final class AckFile implements Closeable {
    static final int ENTRY_BYTES = 24;
    private static final int FAILED = -1;
    private final DataOutputStream out;
    private final Object lock = new Object();

    AckFile(Path file) throws IOException {
        out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 100 * ENTRY_BYTES));
    }

    void acknowledged(int partition, long offset, long sequence, int crc) throws IOException {
        synchronized (lock) {
            out.writeInt(partition);
            out.writeLong(offset);
            out.writeLong(sequence);
            out.writeInt(crc);
        }
    }

    void failed(long sequence) throws IOException {
        acknowledged(FAILED, -1, sequence, 0);
    }

    @Override
    public void close() throws IOException {
        synchronized (lock) {
            out.close();
        }
    }

    /** Adds all entries to the log; returns how many sends had failed. */
    static long load(Path file, int producer, AckLog into) throws IOException {
        long failed = 0;
        long entries = Files.size(file) / ENTRY_BYTES;
        try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
            for (long i = 0; i < entries; i++) {
                int partition = in.readInt();
                long offset = in.readLong();
                long sequence = in.readLong();
                int crc = in.readInt();
                if (partition == FAILED) {
                    failed++;
                } else {
                    into.acknowledged(partition, offset, producer, sequence, crc);
                }
            }
        }
        return failed;
    }
}
