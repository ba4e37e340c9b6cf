package io.catchment.broker.testing;

import io.catchment.broker.network.ByteBufRecords;
import io.catchment.broker.network.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.jspecify.annotations.Nullable;

/** A request on an event loop of the test's, whose answer it looks at as it was given. Refuses a second answer. Thread-safe. */
public final class OpenRequest implements Request {
    private final AbstractRequest body;
    private final EventLoop eventLoop;
    private final String connectionId;
    private final List<Runnable> disconnectListeners = new CopyOnWriteArrayList<>();
    private final List<Runnable> closeListeners = new CopyOnWriteArrayList<>();
    private final AtomicBoolean answered = new AtomicBoolean();
    private final CountDownLatch done = new CountDownLatch(1);
    private volatile @Nullable AbstractResponse response;
    private volatile @Nullable Throwable failure;

    public OpenRequest(AbstractRequest body, EventLoop eventLoop) {
        this(body, eventLoop, "test-connection");
    }

    public OpenRequest(AbstractRequest body, EventLoop eventLoop, String connectionId) {
        this.body = body;
        this.eventLoop = eventLoop;
        this.connectionId = connectionId;
    }

    public boolean isAnswered() {
        return answered.get();
    }

    public @Nullable AbstractResponse response() {
        return response;
    }

    public @Nullable Throwable failure() {
        return failure;
    }

    public AbstractResponse await() throws InterruptedException {
        if (!done.await(20, TimeUnit.SECONDS)) {
            throw new AssertionError("no answer to " + body + " within 20 s");
        }
        AbstractResponse answer = response;
        if (answer == null) {
            throw new AssertionError("no response to " + body, failure);
        }
        return answer;
    }

    public void disconnect() {
        if (!answered.get()) {
            disconnectListeners.forEach(Runnable::run);
        }
    }

    /** What outlives the request hears of it. */
    public void closeConnection() {
        closeListeners.forEach(Runnable::run);
    }

    /** How many hear of it that outlive the request. */
    public int closeListeners() {
        return closeListeners.size();
    }

    /** As the network does after writing. */
    public void releaseRecords() {
        if (response instanceof FetchResponse fetch) {
            fetch.data().responses().forEach(topic -> topic.partitions()
                    .forEach(partition -> release(partition.records())));
        } else if (response instanceof ShareFetchResponse fetch) {
            fetch.data().responses().forEach(topic -> topic.partitions()
                    .forEach(partition -> release(partition.records())));
        }
    }

    private static void release(@Nullable BaseRecords answered) {
        if (answered instanceof ByteBufRecords records) {
            records.release();
        }
    }

    private void answer(@Nullable AbstractResponse answer, @Nullable Throwable cause) {
        if (!answered.compareAndSet(false, true)) {
            throw new IllegalStateException("second answer to " + body);
        }
        response = answer;
        failure = cause;
        done.countDown();
    }

    @Override
    public void respond(AbstractResponse answer) {
        answer(answer, null);
    }

    @Override
    public void respondNothing() {
        answer(null, null);
    }

    @Override
    public void fail(Throwable cause) {
        answer(body.getErrorResponse(cause), cause);
    }

    @Override
    public void onDisconnect(Runnable listener) {
        disconnectListeners.add(listener);
    }

    @Override
    public void onConnectionClosed(Runnable listener) {
        closeListeners.add(listener);
    }

    @Override
    public RequestHeader header() {
        return new RequestHeader(body.apiKey(), body.version(), "test-client", 1);
    }

    @Override
    public RequestContext context() {
        return new RequestContext(
                header(),
                connectionId,
                clientAddress(),
                KafkaPrincipal.ANONYMOUS,
                new ListenerName(listener()),
                SecurityProtocol.PLAINTEXT,
                ClientInformation.EMPTY,
                false);
    }

    @Override
    public AbstractRequest body() {
        return body;
    }

    @Override
    public String listener() {
        return "PLAINTEXT";
    }

    @Override
    public InetAddress clientAddress() {
        return InetAddress.getLoopbackAddress();
    }

    @Override
    public EventLoop eventLoop() {
        return eventLoop;
    }

    @Override
    public ByteBuf buffer() {
        return Unpooled.EMPTY_BUFFER;
    }
}
