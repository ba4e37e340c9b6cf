package io.catchment.broker.flush;

import io.catchment.broker.loop.SerialLoop;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Which FLUSH tasks this node says that it works on. Set by the flush loop, read from any thread: what the loop said last counts no longer once
 * it has not said anything for so long that it must stand still, as in the read of an index from a disk that does not answer.
 */
final class FlushClaims {
    /** As for repairs and recoveries. No disk that works takes so long for an extent. */
    static final long HANGS_NANOS = TimeUnit.MINUTES.toNanos(10);

    private record Said(Set<Long> extents, long atNanos) {}

    private final SerialLoop loop;
    private volatile Said said;

    FlushClaims(SerialLoop loop) {
        this.loop = loop;
        this.said = new Said(Set.of(), loop.nanoTime());
    }

    void say(Set<Long> extents) {
        said = new Said(Set.copyOf(extents), loop.nanoTime());
    }

    Set<Long> present() {
        Said last = said;
        return loop.nanoTime() - last.atNanos() < HANGS_NANOS ? last.extents() : Set.of();
    }
}
