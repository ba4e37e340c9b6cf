package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.ClusterView;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks several times a second who leads how many partitions of a topic. Runs on a thread of its own; to be asked after {@link #close}.
 */
final class ShareWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShareWatch.class);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final List<LeaderHistory.Look> looks = new ArrayList<>();
    private final Thread thread;
    private volatile boolean stop;

    ShareWatch(String bootstrap, String topic) {
        thread = new Thread(() -> run(bootstrap, topic), "share-watch");
        thread.start();
    }

    private void run(String bootstrap, String topic) {
        try (var view = new ClusterView(bootstrap)) {
            while (!stop) {
                try {
                    looks.add(new LeaderHistory.Look(System.nanoTime(), view.alive(), view.leaders(topic)));
                } catch (IllegalStateException e) {
                    LOG.debug("nobody answers at the moment", e);
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
        }
    }

    /** What was seen; complete once it is closed. */
    LeaderHistory seen() {
        return new LeaderHistory(looks);
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join(TimeUnit.SECONDS.toMillis(30));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
