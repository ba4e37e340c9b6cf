package io.catchment.wal.lane;

import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks after an ensemble of several stores while a lane writes to it: who is too slow, whether the quorum still takes this
 * node for the writer, when to look for a whole ensemble in place of one that lacks members. Owned by the lane's loop; asleep
 * while the lane has no extent, or one on a single store.
 */
final class QuorumWatch {
    /** What it has the lane do. */
    interface Actions {
        /** The extent being written, if there is one on several stores. */
        @Nullable
        OpenExtent watched();

        /** The group that is written and not acknowledged. */
        @Nullable
        EncodedGroup undecided();

        void replicaTooSlow(OpenExtent extent, int replica, String reason);

        void askQuorum(OpenExtent extent);

        void quorumSilent(String reason);

        void renew();
    }

    private final QuorumConfig config;
    private final Loop loop;
    private final LongSupplier nanoTime;
    private final Backoff renewals;
    private final Actions actions;
    private boolean ticking;
    private boolean stopped;
    private boolean renewalPlanned;
    private long lastSentNanos;
    private long lastTickNanos;

    QuorumWatch(QuorumConfig config, Loop loop, LongSupplier nanoTime, Backoff renewals, Actions actions) {
        this.config = config;
        this.loop = loop;
        this.nanoTime = nanoTime;
        this.renewals = renewals;
        this.actions = actions;
    }

    void sent() {
        lastSentNanos = nanoTime.getAsLong();
    }

    /** The lane writes to this extent from now on. */
    void opened(OpenExtent extent) {
        if (extent.replicated() && !ticking && !stopped) {
            ticking = true;
            lastTickNanos = nanoTime.getAsLong();
            loop.schedule(config.tickMs(), this::tick);
        }
    }

    void stop() {
        stopped = true;
    }

    private void tick() {
        OpenExtent extent = actions.watched();
        ticking = extent != null && !stopped;
        if (extent == null || stopped) {
            return;
        }
        loop.schedule(config.tickMs(), this::tick);
        long now = nanoTime.getAsLong();
        boolean late = now - lastTickNanos > 2 * config.tickMs() * 1_000_000;
        lastTickNanos = now;
        if (late) {
            // This process stood still: answers that came meanwhile are still on their way to this loop.
            return;
        }
        EncodedGroup undecided = actions.undecided();
        if (undecided != null && now - undecided.sentNanos > 2 * config.lagMsMax() * 1_000_000) {
            actions.quorumSilent("no quorum of extent " + extent.id() + " has answered for "
                    + (now - undecided.sentNanos) / 1_000_000 + " ms");
        } else if (undecided == null && now - lastSentNanos >= config.noopMs() * 1_000_000) {
            actions.askQuorum(extent);
        }
        findSlow(extent, now);
    }

    private void findSlow(OpenExtent extent, long now) {
        for (int i = 0; i < extent.replicas.size(); i++) {
            ReplicaCursor replica = extent.replicas.get(i);
            if (!replica.failed() && replica.lagNanos(now) > config.lagMsMax() * 1_000_000) {
                actions.replicaTooSlow(
                        extent,
                        i,
                        replica.store() + " has not answered for " + replica.lagNanos(now) / 1_000_000 + " ms");
            }
        }
    }

    boolean tooMuchWaitsFor(ReplicaCursor replica) {
        return replica.lagBytes() > config.lagBytesMax();
    }

    /** The ensemble lacks members and a whole one was not to be had just now. */
    void renewLater() {
        if (!renewalPlanned && !stopped) {
            renewalPlanned = true;
            loop.schedule(renewals.nextMs(), () -> {
                renewalPlanned = false;
                if (!stopped) {
                    actions.renew();
                }
            });
        }
    }

    /** An extent with all its members took frames. */
    void whole() {
        renewals.reset();
    }
}
