package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection, owned by its event loop. Parses frames, hands requests on as they come, and sends the answers in
 * the order of the requests, whatever the order they are given in.
 *
 * <p>It takes no further request while too many wait for answers, or while the client does not read. And it begins no fetch
 * before the last one's answer has left, or while too much lies unsent over all connections: fetch answers are the large ones. How
 * large they may be depends on how the client reads ({@link AnswerWindow}) and on what lies unsent.
 */
final class KafkaConnection implements FrameSink {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaConnection.class);
    /** Who follows gets no records, and ends one wait by asking again behind it. */
    private static final int FOLLOWERS_WAITING_MAX = 2;

    private final ListenerName listener;
    private final RequestHandler handler;
    private final ServerShared shared;
    private final Channel channel;
    private final InetSocketAddress client;
    private final String connectionId;
    private final ResponseSender sender;
    private final Mute mute;
    private final ArrayDeque<PendingRequest> pending = new ArrayDeque<>();

    private @Nullable FrameReceiver receiver;
    private ClientInformation clientInformation = ClientInformation.EMPTY;
    private int fetchesWaiting;
    private int followersWaiting;
    private boolean awaitsRoom;
    private boolean draining;

    KafkaConnection(
            ListenerName listener, RequestHandler handler, ServerShared shared, Channel channel, String connectionId) {
        this.listener = listener;
        this.handler = handler;
        this.shared = shared;
        this.channel = channel;
        this.client = (InetSocketAddress) channel.remoteAddress();
        this.connectionId = connectionId;
        this.sender = new ResponseSender(channel, shared.unsent, this::readOn);
        this.mute = new Mute(channel.eventLoop(), this::readOn);
    }

    // ---- frames come in

    @Override
    public void opened(FrameReceiver frames) {
        receiver = frames;
    }

    @Override
    public @Nullable String refusal(int frameBytes, short apiKey, short apiVersion) {
        if (!ApiKeys.hasId(apiKey)) {
            return "there is no Kafka API with key " + apiKey + " (version " + apiVersion + ", " + frameBytes
                    + " bytes)";
        }
        ApiKeys api = ApiKeys.forId(apiKey);
        // ApiVersions of any version is answered, so that the client learns which to use
        if ((api != ApiKeys.API_VERSIONS && !api.isVersionSupported(apiVersion)) || !handler.accepts(api, apiVersion)) {
            return api + " version " + apiVersion + " is not served on listener " + listener.value();
        }
        if (api != ApiKeys.PRODUCE && frameBytes > shared.limits.controlRequestBytesMax()) {
            return api + " request of " + frameBytes + " bytes; those without records may have "
                    + shared.limits.controlRequestBytesMax();
        }
        return null;
    }

    /** The APIs whose parsed form looks into the network buffer; all others copy what they need while they are parsed. */
    @Override
    public boolean keepsBytes(short apiKey) {
        return viewsBuffer(ApiKeys.forId(apiKey));
    }

    static boolean viewsBuffer(ApiKeys api) {
        return api == ApiKeys.PRODUCE || api == ApiKeys.ENVELOPE || api == ApiKeys.PUSH_TELEMETRY;
    }

    @Override
    public boolean ready(short apiKey) {
        if (mute.isOn() || !mayRead()) {
            return false;
        }
        if (!answersWithRecords(ApiKeys.forId(apiKey))) {
            return true;
        }
        if (fetchesWaiting > 0 || followersWaiting >= FOLLOWERS_WAITING_MAX || sender.hasUnsent()) {
            return false;
        }
        if (shared.unsent.exhausted()) {
            awaitRoom();
            return false;
        }
        return true;
    }

    private static boolean answersWithRecords(ApiKeys api) {
        return api == ApiKeys.FETCH || api == ApiKeys.SHARE_FETCH;
    }

    private void count(PendingRequest request, int more) {
        if (request.body() instanceof FetchRequest fetch && fetch.isFromFollower()) {
            followersWaiting += more;
        } else if (answersWithRecords(request.api())) {
            fetchesWaiting += more;
        }
    }

    private void awaitRoom() {
        if (!awaitsRoom) {
            awaitsRoom = true;
            shared.unsent.awaitRoom(() -> executeOnLoop(() -> {
                awaitsRoom = false;
                readOn();
            }));
        }
    }

    @Override
    public boolean mayRead() {
        return channel.isWritable() && pending.size() < shared.limits.pipelinedRequestsMax();
    }

    @Override
    public boolean busy() {
        return !pending.isEmpty() || mute.isOn();
    }

    @Override
    public long writtenBytes() {
        return sender.writtenBytes();
    }

    @Override
    public void frame(ByteBuf frame, int reservedBytes) {
        long startNanos = System.nanoTime();
        int frameBytes = frame.readableBytes() + 4;
        RequestContext context;
        AbstractRequest body;
        try {
            ByteBuffer bytes = frame.nioBuffer();
            context = context(RequestHeader.parse(bytes));
            body = context.parseRequest(bytes).request;
        } catch (InvalidRequestException e) {
            frame.release();
            giveBack(reservedBytes);
            Throwable cause = e.getCause() == null ? e : e.getCause();
            receiver().close(CloseReason.BAD_REQUEST, "cannot parse a request of " + frameBytes + " bytes: " + cause);
            return;
        }
        ApiKeys api = context.header.apiKey();
        shared.observer.requestReceived(api, frameBytes);
        PendingRequest request;
        if (viewsBuffer(api)) {
            request = new PendingRequest(this, context, body, frame, reservedBytes, startNanos);
        } else {
            frame.release();
            giveBack(reservedBytes);
            request = new PendingRequest(this, context, body, Unpooled.EMPTY_BUFFER, 0, startNanos);
        }
        dispatch(request);
    }

    private RequestContext context(RequestHeader header) {
        return new RequestContext(
                header,
                connectionId,
                client.getAddress(),
                Optional.of(client.getPort()),
                KafkaPrincipal.ANONYMOUS,
                listener,
                SecurityProtocol.PLAINTEXT,
                clientInformation,
                false);
    }

    private void dispatch(PendingRequest request) {
        pending.add(request);
        count(request, 1);
        if (request.body() instanceof ApiVersionsRequest hello && hello.version() >= 3 && hello.isValid()) {
            clientInformation = new ClientInformation(
                    hello.data().clientSoftwareName(), hello.data().clientSoftwareVersion());
        }
        try {
            handler.handle(request);
        } catch (RuntimeException | StackOverflowError e) {
            request.fail(e);
        }
        if (shared.quotas.limitTime()) {
            request.handled(System.nanoTime() - request.startNanos());
        }
    }

    /** The client is over a limit. */
    void mute(int ms) {
        if (!isClosed()) {
            mute.atLeast(ms);
        }
    }

    // ---- answers go out

    /** One of the pending requests has its answer: send what is now at the head of the queue. */
    void completed() {
        if (draining) {
            return;
        }
        draining = true;
        try {
            for (PendingRequest head = pending.peek(); head != null && head.isComplete(); head = pending.peek()) {
                pending.remove();
                answer(head);
            }
        } finally {
            draining = false;
        }
        readOn();
    }

    private void answer(PendingRequest request) {
        count(request, -1);
        AbstractResponse response = request.response();
        if (isClosed()) {
            if (response != null) {
                ResponseWriter.release(response);
            }
            return;
        }
        int bytes = 0;
        if (response != null) {
            try {
                bytes = send(request, response);
            } catch (RuntimeException e) {
                ResponseWriter.release(response);
                LOG.error("The answer to {} cannot be written; its connection is closed", request.header(), e);
                receiver().close(CloseReason.ERROR, null);
                return;
            }
        }
        shared.observer.requestAnswered(request.api(), response, bytes, System.nanoTime() - request.startNanos());
    }

    private int send(PendingRequest request, AbstractResponse response) {
        boolean timed = shared.quotas.limitTime();
        if (timed) {
            request.throttle(shared.quotas.spent(request.context(), request.handlingNanos()));
        }
        if (request.throttleMs() > 0) {
            response.maybeSetThrottleTimeMs(request.throttleMs());
        }
        long startNanos = timed ? System.nanoTime() : 0;
        int bytes = sender.send(request.context(), response);
        if (timed) {
            shared.quotas.spentSending(request.context(), System.nanoTime() - startNanos);
        }
        return bytes;
    }

    void giveBack(int reservedBytes) {
        if (reservedBytes > 0) {
            shared.requestMemory.release(reservedBytes);
        }
    }

    private void readOn() {
        FrameReceiver frames = receiver;
        if (frames != null && !frames.isClosed()) {
            frames.resume();
        }
    }

    // ---- the end

    @Override
    public void closed() {
        for (PendingRequest request : pending.toArray(new PendingRequest[0])) {
            request.disconnected();
        }
    }

    void whenClosed(Runnable listener) {
        channel.closeFuture().addListener(closed -> listener.run());
    }

    boolean isClosed() {
        FrameReceiver frames = receiver;
        return frames == null || frames.isClosed();
    }

    void closeFromAnyThread(CloseReason reason, String explanation) {
        if (eventLoop().inEventLoop()) {
            receiver().close(reason, explanation);
        } else {
            executeOnLoop(() -> receiver().close(reason, explanation));
        }
    }

    /** On the event loop. */
    int answerBytesMax() {
        return sender.answerBytesMax();
    }

    EventLoop eventLoop() {
        return channel.eventLoop();
    }

    private void executeOnLoop(Runnable task) {
        try {
            eventLoop().execute(task);
        } catch (RejectedExecutionException loopIsGone) {
            LOG.debug("{}: the event loop has ended", connectionId);
        }
    }

    private FrameReceiver receiver() {
        FrameReceiver frames = receiver;
        if (frames == null) {
            throw new IllegalStateException("connection is not open yet");
        }
        return frames;
    }
}
