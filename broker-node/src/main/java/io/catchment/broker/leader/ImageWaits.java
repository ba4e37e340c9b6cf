package io.catchment.broker.leader;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Waits for what nodes are about to do to streams: opening and handing over take milliseconds. Thread-safe. */
public final class ImageWaits {
    private final ControlPlane controlPlane;
    private final Set<Wait> waits = ConcurrentHashMap.newKeySet();

    private ImageWaits(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    /** Listens to the control plane for as long as that lives. */
    public static ImageWaits of(ControlPlane controlPlane) {
        ImageWaits waits = new ImageWaits(controlPlane);
        controlPlane.subscribe(waits::changed);
        return waits;
    }

    /**
     * True once nodes and streams are as wanted, false after {@code waitMs}. Never fails.
     *
     * @param wanted asked on the control plane's thread after changes of nodes or streams: it must be quick
     */
    public CompletionStage<Boolean> until(Predicate<ClusterImage> wanted, long waitMs) {
        Wait wait = new Wait(wanted, new CompletableFuture<>());
        waits.add(wait);
        CompletableFuture<Boolean> done = wait.done
                .completeOnTimeout(false, Math.max(0, waitMs), TimeUnit.MILLISECONDS)
                .whenComplete((found, failure) -> waits.remove(wait));
        // after it was added: a change in between is seen here or heard of
        wait.look(controlPlane.image());
        return done;
    }

    private void changed(ImageDelta delta, ClusterImage image) {
        if (!waits.isEmpty() && (delta.nodesChanged() || !delta.streams().isEmpty())) {
            waits.forEach(wait -> wait.look(image));
        }
    }

    /** By identity: two who wait for the same are two. */
    private static final class Wait {
        private final Predicate<ClusterImage> wanted;
        private final CompletableFuture<Boolean> done;

        Wait(Predicate<ClusterImage> wanted, CompletableFuture<Boolean> done) {
            this.wanted = wanted;
            this.done = done;
        }

        void look(ClusterImage image) {
            if (wanted.test(image)) {
                done.complete(true);
            }
        }
    }
}
