package io.catchment.broker.extents;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the keeper's loop. Seals, empty, the open extents of this epoch that no lane of this node knows: their creation was answered
 * when nobody waited for it any more, and the lane went on to another. Nobody writes them; left alone they would be open until the epoch ends, and
 * stores that they were placed on could not be removed from the cluster.
 *
 * <p>To seal one that a lane writes would lose what it acknowledges. So none is sealed before it has been a stray for a while, nor one of which
 * this store has a copy: no stray was ever created anywhere.
 */
final class StrayExtents {
    private static final Logger LOG = LoggerFactory.getLogger(StrayExtents.class);
    private static final int AT_ONCE = 16;
    private static final long PATIENCE_MS = 3_000;

    private final LocalStore store;
    private final WalControl registry;
    private final ControlPlane controlPlane;
    private final SerialLoop loop;
    private final Attempts attempts;
    private final Map<Long, Long> sinceNanos = new HashMap<>();

    StrayExtents(
            LocalStore store,
            WalControl registry,
            ControlPlane controlPlane,
            SerialLoop loop,
            RandomGenerator random,
            Runnable look) {
        this.store = store;
        this.registry = registry;
        this.controlPlane = controlPlane;
        this.loop = loop;
        this.attempts = new Attempts(loop, random, AT_ONCE, look);
    }

    void look() {
        // In this order: an image that is newer than the answer to a creation has its extent
        Set<Long> settled = new HashSet<>(registry.given());
        ClusterImage image = controlPlane.image();
        Set<Long> stray = new HashSet<>();
        for (ExtentState extent : image.extents()) {
            if (!extent.isSealed()) {
                settled.remove(extent.extentId());
                if (registry.isStray(extent)) {
                    stray.add(extent.extentId());
                }
            }
        }
        registry.forget(settled);
        sinceNanos.keySet().retainAll(stray);
        attempts.forgetAllBut(stray);
        Set<Long> here = stray.isEmpty() ? Set.of() : new HashSet<>(store.extents());
        for (long id : stray) {
            long since = sinceNanos.computeIfAbsent(id, extent -> loop.nanoTime());
            boolean ripe = loop.nanoTime() - since >= TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
            if (ripe && !here.contains(id) && attempts.mayStart(id)) {
                image.extent(id).ifPresent(this::seal);
            }
        }
    }

    /** Each store has all of nothing. */
    private void seal(ExtentState extent) {
        long id = extent.extentId();
        attempts.start(
                id,
                () -> registry.seal(id, 0, Extents.refs(extent.ensemble())),
                done -> {
                    attempts.succeeded(id);
                    LOG.info(
                            "Extent {}, which no lane knows, is sealed empty: the answer to its creation was lost", id);
                },
                failure -> {
                    if (attempts.pause(id)) {
                        LOG.info("Extent {}, which no lane knows, is not sealed yet: {}", id, failure.getMessage());
                    }
                });
    }
}
