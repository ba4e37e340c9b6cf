package io.catchment.controlplane.server;

import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.log.SnapshotSink;
import io.catchment.controlplane.state.StateSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when to write a snapshot of the state, and writes it on a thread of its own: the image is immutable, so commands go on
 * meanwhile. {@link #replayed} is for the control loop only.
 */
final class Snapshotter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Snapshotter.class);
    /** Enough to be cheap; what is appended at once must fit into one batch of the log. */
    private static final int BYTES_PER_APPEND = 1 << 20;

    private static final long CLOSE_MS = 5000;

    private final ReplicatedLog log;
    private final long bytesMax;
    private final long intervalMs;
    private final ExecutorService executor;
    private final AtomicBoolean running = new AtomicBoolean();
    private long bytesSince;
    private long sinceMs = -1;

    /** @param executor one thread; closed with this */
    Snapshotter(ReplicatedLog log, ExecutorService executor, long bytesMax, long intervalMs) {
        this.log = log;
        this.executor = executor;
        this.bytesMax = bytesMax;
        this.intervalMs = intervalMs;
    }

    /** The image ends at a batch's end. {@code bytes}: of the batches since the last call. */
    void replayed(StateImage image, long bytes, long nowMs) {
        bytesSince += bytes;
        if (sinceMs < 0) {
            sinceMs = nowMs;
        }
        if (image.state().features().isEmpty()) {
            // Kafka's image cannot write itself before it knows its metadata version
            return;
        }
        boolean due = bytesSince >= bytesMax || nowMs - sinceMs >= intervalMs;
        if (due && running.compareAndSet(false, true)) {
            bytesSince = 0;
            sinceMs = nowMs;
            start(image);
        }
    }

    private void start(StateImage image) {
        try {
            executor.execute(() -> write(image));
        } catch (RejectedExecutionException e) {
            LOG.debug("no snapshot at offset {}: the control plane is closing", image.offset());
            running.set(false);
        }
    }

    private void write(StateImage image) {
        long startNs = System.nanoTime();
        try {
            Optional<SnapshotSink> opened = log.snapshot(image.offset(), image.logEpoch(), image.logTimestampMs());
            if (opened.isPresent()) {
                try (SnapshotSink sink = opened.get()) {
                    append(image, sink);
                    long bytes = sink.freeze();
                    LOG.info(
                            "snapshot at offset {}: {} bytes in {} ms",
                            image.offset(),
                            bytes,
                            TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs));
                }
            }
        } catch (RuntimeException e) {
            LOG.error(
                    "writing a snapshot of the control plane at offset {} failed; the log grows until one succeeds",
                    image.offset(),
                    e);
        } finally {
            running.set(false);
        }
    }

    static void append(StateImage image, SnapshotSink sink) {
        Chunks chunks = new Chunks(sink);
        StateSnapshot.write(image.state(), image.metadata(), chunks::add);
        chunks.append();
    }

    /** Used by one thread. Fewer records at a time if they are large. */
    private static final class Chunks {
        private final SnapshotSink sink;
        private List<LogRecord> chunk = new ArrayList<>();
        private int bytes;

        Chunks(SnapshotSink sink) {
            this.sink = sink;
        }

        void add(LogRecord record) {
            int size = LogRecordSerde.INSTANCE.recordSize(record, new ObjectSerializationCache());
            if (bytes + size > BYTES_PER_APPEND) {
                append();
            }
            chunk.add(record);
            bytes += size;
        }

        void append() {
            if (!chunk.isEmpty()) {
                sink.append(chunk);
                chunk = new ArrayList<>();
                bytes = 0;
            }
        }
    }

    @Override
    public void close() {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn("a snapshot of the control plane is still being written after {} ms", CLOSE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
