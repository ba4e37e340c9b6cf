package io.catchment.wal.lane;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.Replicas;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Gets the next extent: registered in the control plane, then created on its stores, retrying until both worked. Owned by
 * the lane's loop. A registered extent is kept through retries, so that a disk that is full for an hour does not leave an
 * hour's worth of empty extents in the control plane.
 */
final class ExtentOpener {
    /** Hears how it went, on the lane's loop. */
    interface Listener {
        void ready(OpenExtent extent);

        /** An attempt failed; another follows. */
        void failed(String reason);

        /** This node's epoch is over. */
        void fenced(String reason);
    }

    private final Lane lane;
    private final ExtentRegistry registry;
    private final Replicas replicas;
    private final Loop loop;
    private final Backoff backoff;
    private final Listener listener;
    private @Nullable ExtentDescriptor registered;
    private boolean running;
    private boolean waitFirst;
    private boolean failing;

    ExtentOpener(Lane lane, ExtentRegistry registry, Replicas replicas, Loop loop, Backoff backoff, Listener listener) {
        this.lane = lane;
        this.registry = registry;
        this.replicas = replicas;
        this.loop = loop;
        this.backoff = backoff;
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
        backoff.reset();
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
        stage(() -> registry.create(lane))
                .whenComplete((created, failure) -> loop.execute(() -> {
                    if (failure == null) {
                        registered = created;
                        createOnStores(created);
                    } else {
                        attemptFailed("creating an extent in the control plane failed", failure);
                    }
                }));
    }

    private void createOnStores(ExtentDescriptor descriptor) {
        List<Replica> members = new ArrayList<>();
        for (StoreRef store : descriptor.ensemble()) {
            Replica member = replicas.find(store).orElse(null);
            if (member == null) {
                attemptFailed(
                        "extent " + descriptor.extentId() + " was placed on a store that cannot be reached: " + store,
                        null);
                return;
            }
            members.add(member);
        }
        ExtentHeader header = header(descriptor);
        List<CompletionStage<Void>> created = members.stream()
                .map(member -> stage(() -> member.create(header)))
                .toList();
        Failures.whenAll(created, loop, failure -> {
            if (failure == null) {
                running = false;
                failing = false;
                registered = null;
                listener.ready(new OpenExtent(descriptor, members));
            } else {
                attemptFailed("creating extent " + descriptor.extentId() + " failed", failure);
            }
        });
    }

    static ExtentHeader header(ExtentDescriptor descriptor) {
        return new ExtentHeader(
                descriptor.extentId(),
                descriptor.writerNodeId(),
                descriptor.writerEpoch(),
                descriptor.lane(),
                descriptor.ackQuorum());
    }

    private void attemptFailed(String what, @Nullable Throwable failure) {
        Throwable cause = failure == null ? null : Failures.root(failure);
        String reason = cause == null ? what : what + ": " + Failures.text(cause);
        if (cause != null && Failures.fenced(cause)) {
            running = false;
            listener.fenced(reason);
            return;
        }
        failing = true;
        loop.schedule(backoff.nextMs(), this::attempt);
        listener.failed(reason);
    }

    private static <T> CompletionStage<T> stage(Failures.Call<T> call) {
        return Failures.stage(call);
    }
}
