package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the flush loop. Deletes doomed objects once readers that may be under way have had their time, then has them forgotten (O3). The
 * grace is measured on this process's monotonic clock from when it saw the object doomed, so no clock jump can shorten it. Besides, no
 * snapshot of the state may be kept from before that ({@link ReapHorizon}): a recovery from it would miss the object. One node of the
 * cluster does it: the live one with the lowest id; two at once would do no harm.
 */
public final class ObjectReaper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ObjectReaper.class);
    private static final long TICK_MS = 1_000;
    private static final int BATCH_MAX = 500;

    private final ControlPlane controlPlane;
    private final ObjectStore store;
    private final FlushSettings settings;
    private final SerialLoop loop;
    private final FlushMetrics metrics;
    private final ReapHorizon horizon;
    private final int nodeId;
    private final Backoff backoff;
    private final Map<Long, Doomed> doomed = new HashMap<>();
    private boolean underWay;
    private long notBeforeNanos;
    private volatile boolean closed;

    /** When this process saw it doomed, by its clock and in the control log. */
    private record Doomed(long sinceNanos, long offset) {}

    public ObjectReaper(
            ControlPlane controlPlane,
            ObjectStore store,
            int nodeId,
            FlushSettings settings,
            SerialLoop loop,
            RandomGenerator random,
            FlushMetrics metrics,
            ReapHorizon horizon) {
        this.controlPlane = controlPlane;
        this.store = store;
        this.settings = settings;
        this.loop = loop;
        this.metrics = metrics;
        this.horizon = horizon;
        this.nodeId = nodeId;
        this.backoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.notBeforeNanos = loop.nanoTime();
    }

    public void start() {
        loop.execute(this::tick);
    }

    @Override
    public void close() {
        closed = true;
    }

    private void tick() {
        if (closed) {
            return;
        }
        loop.schedule(this::tick, TICK_MS);
        reap();
    }

    private void reap() {
        ClusterImage image = controlPlane.image();
        if (!isAnyDue(image) || underWay || loop.nanoTime() - notBeforeNanos < 0 || !mine(image)) {
            return;
        }
        underWay = true;
        FlushFailure.attempt(Stage.REAP, horizon::offset)
                .whenComplete((offset, failure) -> loop.execute(() -> {
                    List<Long> due = failure == null ? due(offset) : List.of();
                    if (failure != null) {
                        underWay = false;
                        failed(doomed.size(), failure);
                    } else if (due.isEmpty()) {
                        underWay = false;
                        backoff.succeeded();
                    } else {
                        delete(due);
                    }
                }));
    }

    private void delete(List<Long> due) {
        List<String> keys = due.stream().map(ObjectKeys::key).toList();
        FlushFailure.attempt(Stage.REAP, () -> store.delete(keys))
                .thenCompose(deleted -> controlPlane.submit(new Command.ForgetObjects(due)))
                .whenComplete((done, failure) -> loop.execute(() -> {
                    underWay = false;
                    if (failure == null) {
                        backoff.succeeded();
                        metrics.reaped(due.size());
                        reap();
                    } else {
                        failed(due.size(), failure);
                    }
                }));
    }

    private void failed(int objects, Throwable failure) {
        metrics.failed(Stage.REAP);
        notBeforeNanos = loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoff.failedMs());
        if (backoff.failures() == 1 || backoff.failures() % 20 == 0) {
            LOG.warn("{} doomed objects could not be deleted, trying on: {}", objects, failure.toString());
        }
    }

    /** Keeps account of what is doomed; whether the grace of some is over. */
    private boolean isAnyDue(ClusterImage image) {
        Set<Long> present = new HashSet<>();
        boolean any = false;
        for (ObjectState object : image.objects()) {
            if (object.phase() == ObjectState.Phase.DOOMED) {
                present.add(object.objectId());
                any |= isGraceOver(
                        doomed.computeIfAbsent(object.objectId(), id -> new Doomed(loop.nanoTime(), image.offset())));
            }
        }
        doomed.keySet().retainAll(present);
        return any;
    }

    private boolean isGraceOver(Doomed object) {
        return loop.nanoTime() - object.sinceNanos() >= TimeUnit.MILLISECONDS.toNanos(settings.reapGraceMs());
    }

    private List<Long> due(long horizonOffset) {
        return doomed.entrySet().stream()
                .filter(object ->
                        isGraceOver(object.getValue()) && object.getValue().offset() <= horizonOffset)
                .map(Map.Entry::getKey)
                .sorted()
                .limit(BATCH_MAX)
                .toList();
    }

    private boolean mine(ClusterImage image) {
        return image.nodes().stream()
                        .filter(node -> !node.fenced())
                        .mapToInt(NodeState::nodeId)
                        .min()
                        .orElse(-1)
                == nodeId;
    }
}
