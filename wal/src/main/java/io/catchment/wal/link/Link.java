package io.catchment.wal.link;

import io.netty.buffer.ByteBuf;
import java.util.List;

/** One connection to another node: messages arrive whole and in order, or the connection ends. Thread-safe; nothing blocks. */
public interface Link {

    /**
     * Sends one message: the head, which begins with the message's length, and its payload from where it lies. Takes over
     * one reference of each buffer; the bytes must not change before the message is answered or
     * {@link LinkHandler#closed} was called.
     */
    void send(ByteBuf head, List<ByteBuf> payload);

    /** Longer messages end the connection. Small until the peer is known, so that a stranger takes no memory. */
    void messageBytesMax(int bytes);

    /** Stops or resumes reading: the peer is slowed down by its full send window. */
    void pauseReading(boolean paused);

    void close(String why);

    /** For people: who is at the other end. */
    String peer();
}
