package io.catchment.broker.network;

import io.netty.channel.ChannelOutboundBuffer;
import java.util.concurrent.TimeUnit;

/**
 * Owned by its connection's event loop. Compares the connection with how it was at the last look and ends it when it has been
 * idle for too long, when one request takes too long to arrive, or when it stands still on memory that others wait for.
 */
final class Liveness {
    /** A transfer that moves less than this in a stall window while others wait for its memory counts as standing still. */
    private static final long STALL_BYTES = 64 * 1024;

    private final FrameReceiver receiver;
    private final FrameSink sink;
    private final ServerShared shared;
    private final long idleNanos;
    private final long stallNanos;

    /** Bytes in and bytes out at the last look. */
    private long received;

    private long sent;
    private long activeAt;

    /** The frame that was arriving at the last look, and since when. */
    private long frame = -1;

    private long frameSince;

    private long windowStart;
    private long windowReceived;
    private long windowSent;
    private boolean windowBeganUnsent;

    Liveness(FrameReceiver receiver, FrameSink sink, ServerShared shared, long now) {
        this.receiver = receiver;
        this.sink = sink;
        this.shared = shared;
        this.idleNanos = TimeUnit.MILLISECONDS.toNanos(shared.limits.connectionIdleMs());
        this.stallNanos = TimeUnit.MILLISECONDS.toNanos(shared.limits.stallMs());
        this.activeAt = now;
        this.windowStart = now;
    }

    void shutdown() {
        receiver.close(CloseReason.SHUTDOWN, null);
    }

    void look(long now) {
        if (receiver.isClosed()) {
            return;
        }
        long unsent = unsentBytes();
        noteTraffic(now, unsent);
        noteFrame(now);
        if (now - activeAt >= idleNanos) {
            endIdle(unsent);
        } else if (frame >= 0 && now - frameSince >= idleNanos) {
            receiver.close(CloseReason.STALLED, "one request took longer than connections.max.idle.ms to arrive");
        } else if (now - windowStart >= stallNanos) {
            judgeWindow(now, unsent);
        }
    }

    private void noteTraffic(long now, long unsent) {
        long receivedNow = receiver.progress();
        long sentNow = sink.writtenBytes() - unsent;
        boolean waitsForUs = sink.busy() && unsent == 0;
        if (receivedNow != received || sentNow != sent || waitsForUs) {
            activeAt = now;
        }
        received = receivedNow;
        sent = sentNow;
    }

    private void noteFrame(long now) {
        long arriving = receiver.waitsForRestOfFrame() ? receiver.framesDelivered() : -1;
        if (arriving != frame) {
            frame = arriving;
            frameSince = now;
        }
    }

    private void endIdle(long unsent) {
        if (unsent > 0) {
            receiver.close(CloseReason.STALLED, "the client has not read its answer for connections.max.idle.ms");
        } else if (frame >= 0) {
            receiver.close(CloseReason.STALLED, "part of a request came and then nothing for connections.max.idle.ms");
        } else {
            receiver.close(CloseReason.IDLE, null);
        }
    }

    private void judgeWindow(long now, long unsent) {
        boolean stillIn = received - windowReceived < STALL_BYTES
                && receiver.unfinishedFrame() != null
                && now - frameSince >= stallNanos;
        boolean stillOut = sent - windowSent < STALL_BYTES && unsent > 0 && windowBeganUnsent;
        if (stillIn && shared.requestMemory.waiting() > 0) {
            receiver.close(CloseReason.STALLED, "half a request stood still while others waited for its memory");
        } else if (stillOut && (shared.unsent.someoneWaits() || shared.answersWanted.getAsBoolean())) {
            receiver.close(CloseReason.STALLED, "an unread answer stood still while others waited for its memory");
        }
        windowStart = now;
        windowReceived = received;
        windowSent = sent;
        windowBeganUnsent = unsent > 0;
    }

    private long unsentBytes() {
        ChannelOutboundBuffer out = receiver.channel().unsafe().outboundBuffer();
        return out == null ? 0 : out.totalPendingWriteBytes();
    }
}
