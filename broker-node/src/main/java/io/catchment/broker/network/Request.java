package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;

/**
 * One parsed request that waits for its answer. Handed to its handler on the connection's event loop; may be answered from
 * any thread, exactly once. Responses of one connection leave in the order of its requests.
 */
public interface Request {

    RequestHeader header();

    /** The header with who sent it, from where and with what software: what Kafka's own classes (group coordinator, authorizer) ask for. */
    RequestContext context();

    /** Records inside are views of the network buffer: valid until the answer is given, or longer if {@link #buffer} was retained. */
    AbstractRequest body();

    /** Name of the listener it came in by, for example PLAINTEXT. */
    String listener();

    InetAddress clientAddress();

    /** How many bytes of records an answer that is begun now should have at most: what this client will read soon, and memory allows. */
    default int answerBytesMax() {
        return Integer.MAX_VALUE;
    }

    EventLoop eventLoop();

    /**
     * The network buffer that {@link #body} views. Retain it to keep record bytes beyond the answer: the buffer lives on then,
     * while its share of the request memory is given back when the request is answered.
     */
    ByteBuf buffer();

    /**
     * The sender is over a limit: the answer says so, and nothing more is taken in from its connection for this long. For the event loop,
     * before the answer is given; of several the longest counts.
     */
    default void throttle(int ms) {}

    /** Sends the answer. {@link ByteBufRecords} in it are written without a copy and released after. */
    void respond(AbstractResponse response);

    /** No answer is due (acks=0), the next request may go on. */
    void respondNothing();

    /** Answers with the API's own error form for this throwable (Kafka's error if it is an ApiException). */
    void fail(Throwable cause);

    /** The connection is gone: a waiting long poll should be dropped. {@code listener} may run on the event loop at any time. */
    void onDisconnect(Runnable listener);

    /** The same for what outlives this request's answer: {@code listener} runs once, on the event loop, at once if the connection is gone already. */
    void onConnectionClosed(Runnable listener);
}
