package io.catchment.broker.testing;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Remembers the buffers a fake handed out, so that a test can say that each was released. Thread-safe. */
public final class TrackedBuffers {
    private final List<ByteBuf> handedOut = new CopyOnWriteArrayList<>();

    public ByteBuf track(ByteBuf buffer) {
        handedOut.add(buffer);
        return buffer;
    }

    public int count() {
        return handedOut.size();
    }

    /** Buffers somebody still holds. */
    public long unreleased() {
        return handedOut.stream().filter(buffer -> buffer.refCnt() > 0).count();
    }
}
