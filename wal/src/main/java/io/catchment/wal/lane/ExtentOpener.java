package io.catchment.wal.lane;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replicas;
import org.jspecify.annotations.Nullable;

/**
 * Gets the next extent: registered in the control plane, then created on its stores, retrying until both worked. Owned by
 * the lane's loop. With a single store a registered extent is kept through retries, so that a disk that is full for an hour
 * does not leave an hour's worth of empty extents in the control plane. With several the next attempt is another extent, on
 * other stores if there are any.
 */
final class ExtentOpener {
    /** Hears how it went, on the lane's loop. */
    interface Listener {
        void ready(OpenExtent extent);

        /** An attempt failed; another follows. */
        void failed(String reason);

        /** Whether frames cannot go anywhere before the next extent is ready. */
        boolean waiting();

        /** The extent found no quorum among its stores and is not used. */
        void unusable(ExtentDescriptor extent);

        /** This node's epoch is over. */
        void fenced(String reason);
    }

    private final Lane lane;
    private final StoreRef localStore;
    private final QuorumConfig quorum;
    private final ExtentRegistry registry;
    private final Replicas replicas;
    private final Loop loop;
    private final Backoff backoff;
    private final AvoidedStores avoided;
    private final Listener listener;
    private @Nullable ExtentDescriptor registered;
    private boolean running;
    private boolean waitFirst;
    private boolean failing;

    ExtentOpener(
            Lane lane,
            StoreRef localStore,
            QuorumConfig quorum,
            ExtentRegistry registry,
            Replicas replicas,
            Loop loop,
            Backoff backoff,
            AvoidedStores avoided,
            Listener listener) {
        this.lane = lane;
        this.localStore = localStore;
        this.quorum = quorum;
        this.registry = registry;
        this.replicas = replicas;
        this.loop = loop;
        this.backoff = backoff;
        this.avoided = avoided;
        this.listener = listener;
    }

    /** Begins unless under way. */
    void start() {
        if (running) {
            return;
        }
        running = true;
        if (waitFirst) {
            loop.schedule(backoff.nextMs(), this::attempt);
        } else {
            attempt();
        }
    }

    boolean underWay() {
        return running;
    }

    /** Whether the attempt under way is not the first. */
    boolean failing() {
        return failing;
    }

    /** The last extent broke: wait before the next one, longer each time, until {@link #proven}. */
    void brokenBefore() {
        waitFirst = true;
    }

    /** Bytes were acknowledged again. */
    void proven() {
        waitFirst = false;
        if (!running) {
            // What fails meanwhile still waits longer each time.
            backoff.reset();
        }
    }

    /** Takes back an extent without frames: it is created once more, as a proof that its disk works. */
    void takeBack(ExtentDescriptor empty) {
        registered = empty;
    }

    /** An extent that is registered but was never handed out, to be sealed empty at the end. */
    @Nullable
    ExtentDescriptor leftOver() {
        return running ? null : registered;
    }

    void forget() {
        registered = null;
    }

    private void attempt() {
        ExtentDescriptor descriptor = registered;
        if (descriptor != null) {
            createOnStores(descriptor);
            return;
        }
        Failures.stage(() -> registry.create(lane, avoided.now()))
                .whenComplete((created, failure) -> loop.execute(() -> {
                    if (failure == null) {
                        registered = created;
                        createOnStores(created);
                    } else {
                        Throwable cause = Failures.root(failure);
                        attemptFailed(
                                "creating an extent in the control plane failed: " + Failures.text(cause),
                                Failures.fenced(cause));
                    }
                }));
    }

    private void createOnStores(ExtentDescriptor descriptor) {
        new ExtentCreation(
                        descriptor,
                        loop,
                        avoided,
                        localStore,
                        quorum,
                        listener.waiting(),
                        result -> created(descriptor, result))
                .start(replicas);
    }

    private void created(ExtentDescriptor descriptor, ExtentCreation.Result result) {
        OpenExtent extent = result.extent();
        boolean replicated = descriptor.ensemble().size() > 1;
        if (extent != null && !result.fenced()) {
            running = false;
            failing = false;
            registered = null;
            listener.ready(extent);
            return;
        }
        if (replicated && !result.fenced()) {
            registered = null;
            listener.unusable(descriptor);
        }
        attemptFailed(result.failure(), result.fenced());
    }

    private void attemptFailed(String reason, boolean fenced) {
        if (fenced) {
            running = false;
            listener.fenced(reason);
            return;
        }
        failing = true;
        loop.schedule(backoff.nextMs(), this::attempt);
        listener.failed(reason);
    }
}
