package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.ClusterView;
import io.catchment.chaos.cluster.NodeStatus;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps that scenarios are made of: strike, wait until all is well again. Owned by the thread that runs the scenario. */
final class Drill implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Drill.class);
    private static final Duration RETURN = Duration.ofSeconds(90);
    private static final Duration BALANCE = Duration.ofSeconds(60);
    private final Cluster cluster;
    private final Exercise exercise;
    private final Verdict verdict;
    private final ClusterView view;
    private final Pauses pauses;

    Drill(Cluster cluster, Exercise exercise, Verdict verdict) {
        this.cluster = cluster;
        this.exercise = exercise;
        this.verdict = verdict;
        this.view = new ClusterView(cluster.bootstrap());
        this.pauses = new Pauses(exercise.times());
    }

    Pauses pauses() {
        return pauses;
    }

    ClusterView view() {
        return view;
    }

    /** Notes who leads what, then acts. */
    Pauses.Fault strike(String what, Set<Integer> nodes, Runnable action) {
        Map<Integer, Integer> leaders = view.leaders(exercise.topic());
        LOG.info(
                "{}: {} of {} partitions are theirs",
                what,
                leaders.values().stream().filter(nodes::contains).count(),
                leaders.size());
        var fault = new Pauses.Fault(what, nodes, leaders, System.nanoTime());
        action.run();
        return fault;
    }

    /** Returns when all nodes and controllers are back, every partition is written to, and each node leads some if there are enough. */
    void awaitWell() {
        if (!Await.within(RETURN, Duration.ofMillis(50), () -> view.alive(cluster.nodes()))) {
            throw late("the cluster does not know all its nodes as alive within " + RETURN.toSeconds() + " s");
        }
        exercise.awaitFlow(RETURN);
        if (cluster instanceof CatchmentCluster) {
            // a controller that lost its disk is a new voter first: until then the others' next loss stops all of them
            if (!Await.within(RETURN, Duration.ofMillis(100), view::votersCaughtUp)) {
                throw late("the controllers are not all voters that are caught up within " + RETURN.toSeconds() + " s");
            }
            if (!Await.within(BALANCE, Duration.ofMillis(100), this::balanced)) {
                LOG.info("not balanced: {}", view.leaders(exercise.topic()));
            }
        } else {
            Await.until("replicas in sync", RETURN, Duration.ofMillis(200), () -> view.inSync(exercise.topic()));
            view.electPreferredLeaders();
            exercise.awaitFlow(RETURN);
        }
    }

    /** Each node leads at least half of its share. */
    boolean balanced() {
        Map<Integer, Integer> leaders = view.leaders(exercise.topic());
        int share = leaders.size() / cluster.nodes().size();
        return cluster.nodes().stream()
                .allMatch(node -> leaders.values().stream().filter(node::equals).count() >= share / 2);
    }

    /** Returns when the node's disk may be lost: everything acknowledged is elsewhere as well. */
    void awaitExpendable(int node) {
        if (cluster instanceof CatchmentCluster catchment) {
            var at = catchment.http(node);
            if (!Await.within(RETURN, Duration.ofMillis(200), () -> NodeStatus.of(at)
                    .map(status -> !status.holdsLastCopies())
                    .orElse(false))) {
                throw late("node " + node + " still holds last copies after " + RETURN.toSeconds() + " s");
            }
        } else {
            Await.until("replicas in sync", RETURN, Duration.ofMillis(200), () -> view.inSync(exercise.topic()));
        }
    }

    /** Returns when none of these leads anything. */
    boolean takenOver(Set<Integer> nodes, Duration limit) {
        return Await.within(limit, Duration.ofMillis(50), () -> {
            try {
                Map<Integer, Integer> leaders = view.leaders(exercise.topic());
                return leaders.size() == exercise.times().partitions()
                        && new TreeSet<>(leaders.values()).stream().noneMatch(nodes::contains);
            } catch (IllegalStateException e) {
                LOG.debug("nobody answers at the moment", e);
                return false;
            }
        });
    }

    private IllegalStateException late(String what) {
        verdict.violation(Violation.Kind.LATE, what);
        return new IllegalStateException(what);
    }

    static void sleep(long ms) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        for (long left = ms; left > 0; left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(left));
        }
    }

    @Override
    public void close() {
        view.close();
    }
}
