package io.catchment.broker.share;

import io.catchment.broker.fetch.FetchQuota;
import io.catchment.broker.fetch.PartitionLookup;
import io.catchment.broker.fetch.ReadFailures;
import io.catchment.broker.leader.Leader;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.network.Request;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.StreamReader;
import io.catchment.controlplane.ClusterImage;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.message.ShareFetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.ShareAcknowledgeRequest;
import org.apache.kafka.common.requests.ShareFetchRequest;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.apache.kafka.server.share.persister.Persister;

/**
 * What this node does for members of share groups: their sessions, and the share partitions of the streams it owns. Everything of it runs on one
 * loop; requests may be handed over from any thread. Of records it only handles where they lie: their bytes go from the tail cache, or from where
 * they were read, to the network.
 */
public final class ShareGroups implements AutoCloseable {
    private static final short RENEW_VERSION = 2;
    private static final byte STRICT = 1;

    private final Parts parts;
    private final SerialLoop loop;
    private final PartitionLookup lookup;
    private final ShareSessions sessions;
    private final SharePartitions partitions;
    private final Acknowledgements acknowledgements;
    private final ReadFailures failures = new ReadFailures();
    /** Sessions by connection: each is listened to once, however often its members begin anew. Without those that are over. */
    private final Map<String, Set<ShareSession>> connections = new HashMap<>();
    /** Fetches that wait for records. */
    private final Map<Request, ShareFetchCall> waiting = new HashMap<>();
    /** What answers rest on. */
    private final Set<CompletableFuture<?>> unsettled = Collections.newSetFromMap(new IdentityHashMap<>());

    private volatile int open;

    /**
     * What it is wired to.
     *
     * @param firstAtOrAfter where a partition's records of some time begin, for groups that begin some time ago
     * @param responseBytesMax whatever a member asks for
     */
    public record Parts(
            int nodeId,
            PartitionDirectory directory,
            Supplier<ClusterImage> image,
            StreamReader reader,
            BiFunction<PartitionView, Long, CompletionStage<Long>> firstAtOrAfter,
            Persister persister,
            GroupRules rules,
            int responseBytesMax,
            FetchQuota quota) {}

    /** @param loop of its own; closed by its owner, before this */
    public ShareGroups(Parts parts, SerialLoop loop) {
        this.parts = parts;
        this.loop = loop;
        this.lookup = new PartitionLookup(parts.directory(), parts.image());
        this.sessions = new ShareSessions(parts.rules().sessionsMax(), this::ended);
        this.partitions = new SharePartitions(
                lookup, parts.persister(), parts.rules(), loop, sessions::isEmpty, parts.firstAtOrAfter());
        this.acknowledgements = new Acknowledgements(partitions);
    }

    /** After the loop's end: whoever still waits hears that its session is over. It would wait for its whole request timeout else. */
    @Override
    public void close() {
        loop.execute(() -> {}, this::end);
    }

    private void end() {
        Map.copyOf(waiting).forEach((request, call) -> {
            if (call.drop()) {
                request.fail(over());
            }
        });
        List.copyOf(unsettled).forEach(each -> each.completeExceptionally(over()));
    }

    private static RuntimeException over() {
        return Errors.SHARE_SESSION_NOT_FOUND.exception("This node begins anew");
    }

    public MeterBinder meters() {
        return registry -> Gauge.builder("catchment.share.sessions", this, groups -> groups.open)
                .description("members of share groups with a session here")
                .register(registry);
    }

    private void ended(ShareSession session) {
        open = sessions.size();
        Set<ShareSession> others = connections.get(session.connectionId());
        if (others != null) {
            others.remove(session);
        }
        partitions.release(session.group(), session.member());
    }

    // ---- fetch

    /** Any thread; answers the request. */
    public void fetch(Request request, int answerBytesMax) {
        int bytesMax = Math.min(answerBytesMax, parts.quota().answerBytesMax(request));
        loop.execute(() -> guarded(request, () -> begin(request, bytesMax)), () -> request.fail(over()));
    }

    private void begin(Request request, int answerBytesMax) {
        ShareFetchRequest body = (ShareFetchRequest) request.body();
        ShareFetchRequestData data = body.data();
        var names = lookup.image().metadata().topics().topicIdToNameView();
        List<TopicIdPartition> wanted = body.shareFetchData(names);
        ShareSession session;
        if (ShareSessions.isFinal(data.shareSessionEpoch())) {
            session = sessions.any(data.groupId(), data.memberId());
        } else if (ShareSessions.isInitial(data.shareSessionEpoch())) {
            session = opened(request, body, wanted);
        } else {
            session = sessions.next(
                    data.groupId(), data.memberId(), data.shareSessionEpoch(), wanted, body.forgottenTopics(names));
        }
        CompletableFuture<Map<TopicIdPartition, ApiError>> acknowledged = unsettled(acknowledgements.take(
                session.group(),
                session.member(),
                new Acknowledgements.Asked(
                        ShareRequests.batches(data), body.version() >= RENEW_VERSION, data.isRenewAck())));
        if (ShareSessions.isFinal(data.shareSessionEpoch())) {
            answer(request, Map.of(), acknowledged, () -> sessions.close(session));
        } else if (data.isRenewAck()) {
            answer(request, Map.of(), acknowledged, () -> {});
        } else {
            ShareFetchCall call = new ShareFetchCall(
                    wanted(session, data, answerBytesMax),
                    new ShareFetchCall.Means(
                            partitions,
                            parts.reader(),
                            failures,
                            loop,
                            partition -> isElsewhere(leader(partition, request))),
                    found -> {
                        waiting.remove(request);
                        answer(request, found, acknowledged, () -> {});
                    },
                    failure -> {
                        waiting.remove(request);
                        request.fail(failure);
                    });
            waiting.put(request, call);
            request.onDisconnect(() -> loop.execute(() -> {
                waiting.remove(request);
                if (call.drop()) {
                    request.respondNothing();
                }
            }));
            call.start();
        }
    }

    // By identity
    @SuppressWarnings("CollectionUndefinedEquality")
    private <T> CompletableFuture<T> unsettled(CompletableFuture<T> outcome) {
        if (!outcome.isDone()) {
            unsettled.add(outcome);
            var unused = outcome.whenComplete((value, failure) -> unsettled.remove(outcome));
        }
        return outcome;
    }

    private ShareSession opened(Request request, ShareFetchRequest body, List<TopicIdPartition> wanted) {
        ShareFetchRequestData data = body.data();
        if (!ShareRequests.batches(data).isEmpty()) {
            throw Errors.INVALID_REQUEST.exception("A session's first fetch has nothing to acknowledge");
        }
        String connectionId = request.context().connectionId();
        ShareSession session = sessions.open(data.groupId(), data.memberId(), connectionId, wanted);
        open = sessions.size();
        Set<ShareSession> others = connections.get(connectionId);
        if (others == null) {
            others = new HashSet<>();
            connections.put(connectionId, others);
            request.onConnectionClosed(() -> loop.execute(() -> disconnected(connectionId)));
        }
        others.add(session);
        return session;
    }

    private void disconnected(String connectionId) {
        Set<ShareSession> gone = connections.remove(connectionId);
        if (gone != null) {
            gone.forEach(sessions::close);
        }
    }

    private ShareFetchCall.Wanted wanted(ShareSession session, ShareFetchRequestData data, int answerBytesMax) {
        return new ShareFetchCall.Wanted(
                session,
                session.inTurn(),
                ShareRequests.appetite(data, STRICT),
                Math.min(Math.min(data.maxBytes(), answerBytesMax), parts.responseBytesMax()),
                Math.min(data.minBytes(), data.maxBytes()),
                data.maxWaitMs(),
                parts.rules().readsCommitted(session.group()));
    }

    /** Not so while this node is about to open the stream. */
    private boolean isElsewhere(Leader leader) {
        return leader.endpoint() != null && leader.nodeId() != parts.nodeId();
    }

    private Leader leader(TopicIdPartition partition, Request request) {
        return lookup.leader(null, partition.topicId(), partition.partition(), request.listener());
    }

    /** Records wait for the outcome of what was acknowledged with the fetch, as in Kafka. */
    private void answer(
            Request request,
            Map<TopicIdPartition, PartitionData> found,
            CompletableFuture<Map<TopicIdPartition, ApiError>> acknowledged,
            Runnable then) {
        var unused = acknowledged.whenComplete((outcomes, failure) -> {
            try {
                then.run();
                if (outcomes == null) {
                    found.values().forEach(ShareFetchCall::release);
                    request.fail(failure);
                    return;
                }
                respond(request, found, outcomes);
            } catch (RuntimeException e) {
                found.values().forEach(ShareFetchCall::release);
                request.fail(e);
            }
        });
    }

    private void respond(
            Request request, Map<TopicIdPartition, PartitionData> found, Map<TopicIdPartition, ApiError> outcomes) {
        Map<TopicIdPartition, PartitionData> answers = new LinkedHashMap<>(found);
        String group = ((ShareFetchRequest) request.body()).data().groupId();
        ShareFetchResponse response = ShareRequests.response(
                answers,
                outcomes,
                partition -> leader(partition, request),
                parts.rules().limits(group).lockMs());
        short version = request.body().version();
        int throttleMs =
                parts.quota().delivered(request, () -> response.data().size(new ObjectSerializationCache(), version));
        if (throttleMs == 0) {
            request.respond(response);
        } else {
            // Its records are acquired: they are not withheld, but nothing more is taken in for so long
            request.eventLoop().execute(() -> {
                request.throttle(throttleMs);
                request.respond(response);
            });
        }
    }

    // ---- acknowledge

    /** Any thread; answers the request. */
    public void acknowledge(Request request) {
        loop.execute(() -> guarded(request, () -> acknowledgeNow(request)), () -> request.fail(over()));
    }

    private void acknowledgeNow(Request request) {
        ShareAcknowledgeRequest body = (ShareAcknowledgeRequest) request.body();
        String group = body.data().groupId();
        String member = body.data().memberId();
        int epoch = body.data().shareSessionEpoch();
        if (ShareSessions.isInitial(epoch)) {
            throw Errors.INVALID_SHARE_SESSION_EPOCH.exception("A session begins with a fetch");
        }
        ShareSession session =
                ShareSessions.isFinal(epoch) ? sessions.any(group, member) : sessions.next(group, member, epoch);
        Consumer<ShareSession> then = ShareSessions.isFinal(epoch) ? sessions::close : kept -> {};
        Acknowledgements.Asked asked = new Acknowledgements.Asked(
                ShareRequests.batches(body.data()),
                body.version() >= RENEW_VERSION,
                body.data().isRenewAck());
        var unused = unsettled(acknowledgements.take(group, member, asked)).whenComplete((outcomes, failure) -> {
            then.accept(session);
            if (outcomes == null) {
                request.fail(failure);
            } else {
                request.respond(ShareRequests.acknowledged(
                        outcomes,
                        partition -> leader(partition, request),
                        parts.rules().limits(group).lockMs()));
            }
        });
    }

    private void guarded(Request request, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            refuse(request, e);
        }
    }

    /** Who finds no place for a session would ask again at once. */
    private void refuse(Request request, RuntimeException why) {
        boolean wait = request.body() instanceof ShareFetchRequest fetch
                && Errors.forException(why) == Errors.SHARE_SESSION_LIMIT_REACHED
                && fetch.data().maxWaitMs() > 0;
        if (wait) {
            CompletableFuture<Void> waited = new CompletableFuture<>();
            var unused = unsettled(waited).whenComplete((nothing, ended) -> request.fail(why));
            SerialLoop.Scheduled timer = loop.schedule(
                    () -> waited.complete(null),
                    ((ShareFetchRequest) request.body()).data().maxWaitMs());
            request.onDisconnect(() -> {
                timer.cancel();
                loop.execute(() -> waited.complete(null));
            });
        } else {
            request.fail(why);
        }
    }
}
