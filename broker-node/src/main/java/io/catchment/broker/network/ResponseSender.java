package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.ResponseHeader;

/**
 * The sending side of one connection, owned by its event loop. Flushes once per turn of the loop, so that answers given
 * together leave together; keeps count of large answers until the socket has taken them.
 */
final class ResponseSender {
    private final Channel channel;
    private final UnsentBudget budget;
    private final Runnable allSent;
    private final List<ByteBuf> pieces = new ArrayList<>();

    private final AnswerWindow window = new AnswerWindow();

    private boolean flushScheduled;
    private int unsentAnswers;
    private long writtenBytes;

    /** @param allSent called when the last of the large answers has left */
    ResponseSender(Channel channel, UnsentBudget budget, Runnable allSent) {
        this.channel = channel;
        this.budget = budget;
        this.allSent = allSent;
    }

    /** @return the frame's length. When it throws, nothing was sent. */
    int send(RequestContext request, AbstractResponse response) {
        ResponseHeader header = request.header.toResponseHeader();
        int bytes = ResponseWriter.write(
                channel.alloc(), header.data(), header.headerVersion(), response.data(), request.apiVersion(), pieces);
        sendPieces(bytes);
        return bytes;
    }

    /** Sends a frame that someone else has serialised; takes over the references. */
    void send(List<ByteBuf> frame, int bytes) {
        pieces.addAll(frame);
        sendPieces(bytes);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, which the receiver sees
    private void sendPieces(int bytes) {
        boolean large = bytes > ResponseWriter.ONE_PIECE_BYTES_MAX;
        int last = pieces.size() - 1;
        for (int i = 0; i < last; i++) {
            channel.write(pieces.get(i), channel.voidPromise());
        }
        if (large) {
            unsentAnswers++;
            budget.add(bytes);
            long startNanos = System.nanoTime();
            channel.write(pieces.get(last)).addListener(done -> sent(bytes, startNanos));
        } else {
            channel.write(pieces.get(last), channel.voidPromise());
        }
        pieces.clear();
        writtenBytes += bytes;
        scheduleFlush();
    }

    boolean hasUnsent() {
        return unsentAnswers > 0;
    }

    long writtenBytes() {
        return writtenBytes;
    }

    /** How large an answer may be that is begun now. */
    int answerBytesMax() {
        return Math.min(window.bytes(), budget.answerBytesMax());
    }

    private void sent(int bytes, long startNanos) {
        window.taken(bytes, System.nanoTime() - startNanos);
        budget.remove(bytes);
        if (--unsentAnswers == 0) {
            allSent.run();
        }
    }

    private void scheduleFlush() {
        if (!flushScheduled) {
            flushScheduled = true;
            channel.eventLoop().execute(() -> {
                flushScheduled = false;
                channel.flush();
            });
        }
    }
}
