package io.catchment.wal.link;

import io.netty.buffer.ByteBuf;

/** Hears what comes over a link. Calls of one link come one at a time and must not block. */
public interface LinkHandler {

    /** One message without its length. The handler releases it. */
    void received(ByteBuf message);

    /** The end, told once: from now on the link reads none of the buffers it was given to send. */
    void closed(String why);
}
