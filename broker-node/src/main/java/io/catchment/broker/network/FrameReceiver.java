package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by its connection's event loop. Cuts the byte stream of one connection into frames (4-byte size, then that many
 * bytes), each contiguous in one buffer.
 *
 * <p>Small reads land in a chunk. A frame that is complete in its chunk and of no use after parsing is handed on as a slice of it.
 * Any other frame gets a buffer of exactly its size, which then <em>is</em> the read buffer ({@link FrameRecvAllocator}): only the
 * bytes that had already arrived in the chunk are copied, once.
 *
 * <p>Before the buffer is taken its size is reserved in the {@link RequestMemory}. When that is exhausted, or the sink is not
 * ready for the frame, the socket is no longer read ({@code autoRead} off), so the sender is slowed down by TCP.
 */
final class FrameReceiver extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(FrameReceiver.class);

    /** Size prefix, API key and version: what is looked at before anything is allocated. */
    private static final int PEEK_BYTES = 8;
    /** A header without its client id: the least a request can be. */
    private static final int FRAME_BYTES_MIN = 8;
    /** Bytes taken in although the socket should not be read (netty reads on when the peer has closed); then the rest is dropped. */
    private static final int PAUSED_BYTES_MAX = 4 * FrameRecvAllocator.CHUNK_BYTES;

    private final FrameSink sink;
    private final int frameBytesMax;
    private final RequestMemory memory;
    private final ServerLog serverLog;

    private @Nullable Channel channel;
    private @Nullable ByteBuf chunk;
    private @Nullable ByteBuf target;
    private int targetBytes;
    private short targetApi;
    private RequestMemory.@Nullable Ticket ticket;
    private boolean processing;
    private boolean closed;
    private @Nullable CloseReason closeReason;
    private long receivedBytes;
    private long framesDelivered;

    FrameReceiver(FrameSink sink, int frameBytesMax, RequestMemory memory, ServerLog serverLog) {
        this.sink = sink;
        this.frameBytesMax = frameBytesMax;
        this.memory = memory;
        this.serverLog = serverLog;
    }

    // ---- what the connection asks

    /** Something changed that {@link FrameSink#ready} or {@link FrameSink#mayRead} depends on. */
    void resume() {
        process();
    }

    /** Ends the connection; {@code explanation} is logged (rate limited) unless null. The first reason given counts. */
    @SuppressWarnings("FutureReturnValueIgnored") // channelInactive follows in any case
    void close(CloseReason reason, @Nullable String explanation) {
        if (closed || closeReason != null) {
            return;
        }
        closeReason = reason;
        if (explanation != null) {
            serverLog.closing(channel(), reason, explanation);
        }
        channel().flush();
        channel().close();
    }

    CloseReason closeReason() {
        return closeReason == null ? CloseReason.PEER : closeReason;
    }

    boolean isClosed() {
        return closed || closeReason != null;
    }

    Channel channel() {
        Channel open = channel;
        if (open == null) {
            throw new IllegalStateException("connection is not active yet");
        }
        return open;
    }

    /** Grows with every byte that arrives. */
    long progress() {
        return receivedBytes + (target == null ? 0 : target.writerIndex());
    }

    /** Frames handed to the sink so far. */
    long framesDelivered() {
        return framesDelivered;
    }

    /** Whether a frame has begun to arrive and it is the other side's turn to send the rest. */
    boolean waitsForRestOfFrame() {
        return holdsBytes() && ticket == null && !undeliverable();
    }

    private boolean holdsBytes() {
        return target != null || chunk != null;
    }

    /** The frame buffer that still wants bytes, if any; request memory is held for it. */
    @Nullable
    ByteBuf unfinishedFrame() {
        ByteBuf frame = target;
        return frame != null && frame.isWritable() ? frame : null;
    }

    // ---- what the channel says

    /** Before anything else: a connection can end before it is active. */
    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        channel = ctx.channel();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        sink.opened(this);
        applyAutoRead();
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // whether netty read into the very buffer we gave it
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (isClosed()) {
            bytes.release();
            return;
        }
        if (bytes == target) {
            bytes.release();
        } else {
            receivedBytes += bytes.readableBytes();
            addToChunk(ctx, bytes);
        }
        process();
    }

    private void addToChunk(ChannelHandlerContext ctx, ByteBuf bytes) {
        ByteBuf rest = chunk;
        if (rest == null) {
            chunk = bytes;
            return;
        }
        if (rest.readableBytes() > PAUSED_BYTES_MAX) {
            bytes.release();
            close(CloseReason.PEER, null);
            return;
        }
        ByteBuf joined = ctx.alloc().directBuffer(rest.readableBytes() + bytes.readableBytes());
        joined.writeBytes(rest).writeBytes(bytes);
        rest.release();
        bytes.release();
        chunk = joined;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        process();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (closed) {
            return;
        }
        boolean cutOff = closeReason == null && holdsBytes();
        closed = true;
        if (cutOff) {
            serverLog.closing(ctx.channel(), CloseReason.PEER, "closed by the other side in the middle of a request");
        }
        dropEverything();
        sink.closed();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("Connection {} broke", ctx.channel(), cause);
            close(CloseReason.PEER, null);
        } else {
            LOG.error("Connection {} is closed after an unexpected exception", ctx.channel(), cause);
            close(CloseReason.ERROR, null);
        }
    }

    // ---- framing

    private void process() {
        if (processing || channel == null) {
            return;
        }
        processing = true;
        try {
            boolean more = true;
            while (more && !isClosed()) {
                more = target == null ? beginFrame() : finishFrame();
            }
        } finally {
            processing = false;
        }
        if (!isClosed()) {
            applyAutoRead();
        }
    }

    /** Delivers a frame out of the chunk, or makes the buffer it is received into. False when that must wait. */
    private boolean beginFrame() {
        ByteBuf bytes = chunk;
        if (bytes == null || ticket != null || !beginsWell(bytes) || bytes.readableBytes() < PEEK_BYTES) {
            return false;
        }
        int start = bytes.readerIndex();
        int size = bytes.getInt(start);
        short api = bytes.getShort(start + 4);
        String refusal = sink.refusal(size, api, bytes.getShort(start + 6));
        if (refusal != null) {
            close(CloseReason.BAD_REQUEST, refusal);
            return false;
        }
        if (!sink.ready(api)) {
            return false;
        }
        if (!sink.keepsBytes(api) && bytes.readableBytes() >= 4 + size) {
            bytes.skipBytes(4);
            ByteBuf frame = bytes.readRetainedSlice(size);
            trimChunk(bytes);
            framesDelivered++;
            sink.frame(frame, 0);
            return true;
        }
        targetBytes = size;
        targetApi = api;
        if (!memory.tryReserve(size)) {
            ticket = memory.reserveLater(size, this::grantedFromAnyThread);
            return false;
        }
        allocateTarget();
        return true;
    }

    private boolean beginsWell(ByteBuf bytes) {
        if (bytes.readableBytes() < 4) {
            return false;
        }
        int size = bytes.getInt(bytes.readerIndex());
        if (size >= FRAME_BYTES_MIN && size <= frameBytesMax) {
            return true;
        }
        close(CloseReason.BAD_REQUEST, GarbageHint.describe(size, frameBytesMax));
        return false;
    }

    private void grantedFromAnyThread() {
        Channel connection = channel();
        try {
            connection.eventLoop().execute(this::granted);
        } catch (RejectedExecutionException loopIsGone) {
            LOG.debug("Memory granted to {} after its event loop has ended", connection);
        }
    }

    private void granted() {
        if (ticket == null) {
            return; // closed in between: the cancelled ticket gave the bytes back
        }
        ticket = null;
        allocateTarget();
        process();
    }

    /** The reservation is made; it belongs to the target from here on. */
    private void allocateTarget() {
        ByteBuf bytes = chunk;
        if (bytes == null) {
            throw new IllegalStateException("a frame was begun without its first bytes");
        }
        ByteBuf frame;
        try {
            frame = channel().alloc().directBuffer(targetBytes, targetBytes);
        } catch (OutOfMemoryError outOfDirectMemory) {
            memory.release(targetBytes);
            LOG.error(
                    "No direct memory for a request of {} bytes; raise -XX:MaxDirectMemorySize or lower queued.max.request.bytes",
                    targetBytes,
                    outOfDirectMemory);
            close(CloseReason.ERROR, null);
            return;
        }
        bytes.skipBytes(4);
        frame.writeBytes(bytes, Math.min(targetBytes, bytes.readableBytes()));
        trimChunk(bytes);
        target = frame;
    }

    private boolean finishFrame() {
        ByteBuf frame = target;
        if (frame == null || frame.isWritable() || !sink.ready(targetApi)) {
            return false;
        }
        target = null;
        receivedBytes += targetBytes;
        framesDelivered++;
        sink.frame(frame, targetBytes);
        return true;
    }

    private void trimChunk(ByteBuf bytes) {
        if (!bytes.isReadable()) {
            bytes.release();
            chunk = null;
        }
    }

    private void applyAutoRead() {
        channel().config().setAutoRead(ticket == null && sink.mayRead() && !undeliverable());
    }

    /** A frame is there (wholly, or its beginning) that the sink does not want now: reading more would only pile up bytes. */
    private boolean undeliverable() {
        ByteBuf frame = target;
        if (frame != null) {
            return !frame.isWritable();
        }
        ByteBuf bytes = chunk;
        return bytes != null && bytes.readableBytes() >= PEEK_BYTES;
    }

    private void dropEverything() {
        if (ticket != null) {
            memory.cancel(ticket);
            ticket = null;
        }
        if (target != null) {
            target.release();
            target = null;
            memory.release(targetBytes);
        }
        if (chunk != null) {
            chunk.release();
            chunk = null;
        }
    }
}
