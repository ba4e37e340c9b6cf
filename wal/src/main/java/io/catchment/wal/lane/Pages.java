package io.catchment.wal.lane;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/** Direct memory that groups are staged in. Owned by the lane's loop; keeps a few free pages, the rest goes. */
final class Pages {
    static final int BYTES = 32 << 10;
    private static final int FREE_MAX = 32;

    /** One page: the same memory as a buffer of either kind. */
    static final class Page {
        final ByteBuffer view = ByteBuffer.allocateDirect(BYTES);
        final ByteBuf bytes = Unpooled.wrappedBuffer(view);
    }

    private final Deque<Page> free = new ArrayDeque<>();

    Page take() {
        Page page = free.poll();
        return page == null ? new Page() : page;
    }

    void giveBack(Page page) {
        if (free.size() < FREE_MAX) {
            free.push(page);
        }
    }
}
