package io.catchment.wal.remote;

import io.catchment.wal.link.Link;
import io.catchment.wal.replica.Failures;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The answers on one connection, and how much of its requests is still being worked on. Thread-safe. Beyond its bound the
 * connection is not read: a peer that sends faster than this disk writes waits in its own send buffer.
 */
final class Answers {
    /** What a request counts for besides its bytes. */
    private static final int REQUEST_BYTES = 1_000;

    private final Link link;
    private final ByteBufAllocator allocator;
    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();

    Answers(Link link, ByteBufAllocator allocator, long bytesMax) {
        this.link = link;
        this.allocator = allocator;
        this.bytesMax = bytesMax;
    }

    /** Answers when the work is done, then lets go of the request's bytes. */
    <T> void when(long number, ByteBuf request, CompletionStage<T> work, Consumer<T> reply) {
        long held = request.readableBytes() + (long) REQUEST_BYTES;
        request.retain();
        if (bytes.addAndGet(held) > bytesMax) {
            link.pauseReading(true);
        }
        work.whenComplete((value, failure) -> {
            finish(number, failure == null ? () -> reply.accept(value) : () -> failed(number, failure));
            request.release();
            if (bytes.addAndGet(-held) <= bytesMax / 2) {
                link.pauseReading(false);
            }
        });
    }

    private void finish(long number, Runnable answer) {
        try {
            answer.run();
        } catch (RuntimeException broken) {
            link.close("answering request " + number + " failed: " + broken);
        }
    }

    private void failed(long number, Throwable failure) {
        Throwable cause = Failures.root(failure);
        link.send(Refusals.encode(allocator, number, cause), List.of());
        if (cause instanceof ProtocolException || cause instanceof IllegalStateException) {
            // Damaged bytes, or a write at a position that cannot be (W3): nothing more is believed.
            link.close(Failures.text(cause));
        }
    }

    void done(long number) {
        send(new Outgoing(allocator, MessageType.DONE, number), List.of());
    }

    void number(long number, long value) {
        send(new Outgoing(allocator, MessageType.NUMBER, number).int64(value), List.of());
    }

    /** Raw bytes under a checksum; takes over the buffer. */
    void bytes(long number, ByteBuf payload) {
        send(new Outgoing(allocator, MessageType.BYTES, number).int32(Incoming.crc(payload)), List.of(payload));
    }

    void send(Outgoing head, List<ByteBuf> payload) {
        link.send(head.end(Outgoing.bytes(payload)), payload);
    }
}
