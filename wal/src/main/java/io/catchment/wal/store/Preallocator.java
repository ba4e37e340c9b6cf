package io.catchment.wal.store;

import io.catchment.wal.Lane;
import io.catchment.wal.loop.Loop;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a filled file ready ahead of need, of the size that the last extents suggest. Owned by the maintenance loop; each piece is a task of its own there. */
final class Preallocator {
    private static final Logger LOG = LoggerFactory.getLogger(Preallocator.class);

    private final ExtentStore store;
    private final long reserveBytes;
    private final Loop loop;
    private boolean filling;

    Preallocator(ExtentStore store, long reserveBytes, Loop loop) {
        this.store = store;
        this.reserveBytes = reserveBytes;
        this.loop = loop;
    }

    /** Begins to fill a file unless one is ready or on its way, or the disk has no room to spare for it. */
    void ensureOneReady(Lane lane) {
        FilePool pool = store.pool();
        try {
            long wantedBytes = store.expectedBytes(lane);
            if (filling
                    || pool.has(wantedBytes)
                    || store.usableBytes() < pool.fileBytes() + wantedBytes + reserveBytes) {
                return;
            }
            FilePool.Filling file = pool.fill(wantedBytes);
            filling = true;
            loop.execute(() -> step(file));
        } catch (IOException failed) {
            LOG.debug("No file preallocated: {}", failed.toString());
        }
    }

    private void step(FilePool.Filling file) {
        try {
            if (file.step()) {
                filling = false;
            } else {
                loop.execute(() -> step(file));
            }
        } catch (IOException failed) {
            filling = false;
            abandon(file, failed);
        }
    }

    private static void abandon(FilePool.Filling file, IOException why) {
        @Nullable IOException also = null;
        try {
            file.abandon();
        } catch (IOException e) {
            also = e;
        }
        LOG.debug("Preallocation abandoned: {} ({})", why.toString(), also == null ? "file deleted" : also.toString());
    }
}
