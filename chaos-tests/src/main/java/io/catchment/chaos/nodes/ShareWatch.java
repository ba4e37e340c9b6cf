package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.ClusterView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks several times a second who leads how many partitions of a topic. Runs on a thread of its own; to be asked after {@link #close}.
 */
final class ShareWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShareWatch.class);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private record Look(long nanos, List<Integer> alive, Map<Integer, Integer> leaders) {
        long of(int node) {
            return leaders.values().stream().filter(leader -> leader == node).count();
        }
    }

    private final List<Look> looks = new ArrayList<>();
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
                    looks.add(new Look(System.nanoTime(), view.alive(), view.leaders(topic)));
                } catch (IllegalStateException e) {
                    LOG.debug("nobody answers at the moment", e);
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
        }
    }

    /** When the cluster first knew the node as alive, after the given time; -1: never. */
    long joined(int node, long afterNanos) {
        return first(afterNanos, look -> look.alive.contains(node));
    }

    /** When it first led at least so many. */
    long led(int node, long afterNanos, int partitions) {
        return first(afterNanos, look -> look.of(node) >= partitions);
    }

    /** When it first led nothing. */
    long gone(int node, long afterNanos) {
        return first(afterNanos, look -> look.of(node) == 0);
    }

    private long first(long after, Predicate<Look> condition) {
        return looks.stream()
                .filter(look -> look.nanos >= after && condition.test(look))
                .mapToLong(Look::nanos)
                .findFirst()
                .orElse(-1);
    }

    /** Partitions whose leader changed, for as long as was watched. */
    List<Integer> moved(long fromNanos, long toNanos) {
        Map<Integer, Integer> before = new HashMap<>();
        List<Integer> moved = new ArrayList<>();
        for (Look look : looks) {
            if (look.nanos < toNanos) {
                look.leaders.forEach((partition, leader) -> {
                    Integer was = before.put(partition, leader);
                    if (look.nanos >= fromNanos && was != null && !was.equals(leader) && !moved.contains(partition)) {
                        moved.add(partition);
                    }
                });
            }
        }
        return moved;
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
