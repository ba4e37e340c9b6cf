package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** What a connection does with the frames that {@link FrameReceiver} cuts out of its byte stream. All calls on its event loop. */
interface FrameSink {

    void opened(FrameReceiver receiver);

    /** Why a frame with this beginning must not come in, null if it may. Asked before memory is taken for it. */
    @Nullable
    String refusal(int frameBytes, short apiKey, short apiVersion);

    /** Whether the bytes of such a frame are needed after {@link #frame} has returned. */
    boolean keepsBytes(short apiKey);

    /** Whether a frame of this API may be delivered now. When that changes to true, call {@link FrameReceiver#resume}. */
    boolean ready(short apiKey);

    /** Whether the socket should be read at all now. When that changes, call {@link FrameReceiver#resume}. */
    boolean mayRead();

    /** Whether requests wait for their answers: such a connection is not idle. */
    boolean busy();

    /** All that was ever handed to the channel to send. */
    long writtenBytes();

    /**
     * One whole frame without its size prefix. The sink takes over the reference, and the reservation of
     * {@code reservedBytes} in the request memory (0 if none was needed).
     */
    void frame(ByteBuf frame, int reservedBytes);

    void closed();
}
