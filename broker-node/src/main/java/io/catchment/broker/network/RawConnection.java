package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection whose frames are answered whole by a {@link RawHandler}, in order. Owned by its event loop. */
final class RawConnection implements FrameSink {
    private static final Logger LOG = LoggerFactory.getLogger(RawConnection.class);

    private final RawHandler handler;
    private final ServerShared shared;
    private final Channel channel;
    private final ResponseSender sender;
    private final ArrayDeque<Exchange> pending = new ArrayDeque<>();
    private @Nullable FrameReceiver receiver;

    /** Owned by the event loop. */
    private static final class Exchange {
        private ByteBuffer @Nullable [] answer;
    }

    RawConnection(RawHandler handler, ServerShared shared, Channel channel) {
        this.handler = handler;
        this.shared = shared;
        this.channel = channel;
        this.sender = new ResponseSender(channel, shared.unsent, () -> {});
    }

    @Override
    public void opened(FrameReceiver frames) {
        receiver = frames;
    }

    @Override
    public @Nullable String refusal(int frameBytes, short apiKey, short apiVersion) {
        return null;
    }

    @Override
    public boolean keepsBytes(short apiKey) {
        return true;
    }

    @Override
    public boolean ready(short apiKey) {
        return mayRead();
    }

    @Override
    public boolean mayRead() {
        return channel.isWritable() && pending.size() < shared.limits.pipelinedRequestsMax();
    }

    @Override
    public boolean busy() {
        return !pending.isEmpty();
    }

    @Override
    public long writtenBytes() {
        return sender.writtenBytes();
    }

    @Override
    public void frame(ByteBuf frame, int reservedBytes) {
        Exchange exchange = new Exchange();
        pending.add(exchange);
        try {
            handler.handle(frame.nioBuffer())
                    .whenComplete((answer, failure) ->
                            answeredFromAnyThread(exchange, frame, reservedBytes, answer, failure));
        } catch (RuntimeException e) {
            answered(exchange, frame, reservedBytes, null, e);
        }
    }

    private void answeredFromAnyThread(
            Exchange exchange,
            ByteBuf frame,
            int reservedBytes,
            ByteBuffer @Nullable [] answer,
            @Nullable Throwable failure) {
        if (channel.eventLoop().inEventLoop()) {
            answered(exchange, frame, reservedBytes, answer, failure);
            return;
        }
        try {
            channel.eventLoop().execute(() -> answered(exchange, frame, reservedBytes, answer, failure));
        } catch (RejectedExecutionException loopIsGone) {
            frame.release();
        }
    }

    private void answered(
            Exchange exchange,
            ByteBuf frame,
            int reservedBytes,
            ByteBuffer @Nullable [] answer,
            @Nullable Throwable failure) {
        frame.release();
        shared.requestMemory.release(reservedBytes);
        FrameReceiver frames = receiver;
        if (frames == null || frames.isClosed()) {
            return;
        }
        if (answer == null) {
            LOG.debug("A request of {} failed", channel, failure);
            frames.close(CloseReason.ERROR, "its request could not be answered: " + failure);
            return;
        }
        exchange.answer = answer;
        drain();
        frames.resume();
    }

    private void drain() {
        for (Exchange head = pending.peek(); head != null && head.answer != null; head = pending.peek()) {
            pending.remove();
            send(head.answer);
        }
    }

    private void send(ByteBuffer[] answer) {
        int bytes = 0;
        List<ByteBuf> pieces = new ArrayList<>(answer.length + 1);
        for (ByteBuffer piece : answer) {
            bytes += piece.remaining();
            pieces.add(Unpooled.wrappedBuffer(piece));
        }
        pieces.add(0, channel.alloc().directBuffer(4, 4).writeInt(bytes));
        sender.send(pieces, bytes + 4);
    }

    @Override
    public void closed() {
        pending.clear();
    }
}
