package io.catchment.controlplane.log;

import java.util.List;

/** Takes a snapshot's records; it exists once {@link #freeze} returned, and is dropped by {@link #close} before that. */
public interface SnapshotSink extends AutoCloseable {
    void append(List<LogRecord> records);

    /** Makes it durable; answers its size in bytes. */
    long freeze();

    @Override
    void close();
}
