package io.catchment.broker.fetch;

import io.catchment.broker.near.NearReads;
import io.catchment.broker.network.Request;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchMetadata;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.FetchContext;
import org.apache.kafka.server.FetchManager;
import org.apache.kafka.server.FetchSession;
import org.apache.kafka.server.FetchSessionCacheShard;
import org.jspecify.annotations.Nullable;

/**
 * Fetch: Kafka's own classes keep the sessions (KIP-227), {@link FetchSlots} what is known of a session's partitions from one
 * request to the next, a {@link FetchCall} each request. Thread-safe: a connection's requests stay on its event loop.
 */
public final class FetchHandler implements ApiHandler {
    private static final int SHARDS = 8;
    private static final int SESSION_IDS_PER_SHARD = Integer.MAX_VALUE / SHARDS;
    /** From here on topics go by id (KIP-516). */
    private static final short TOPIC_ID_VERSION = 13;

    private final PartitionLookup lookup;
    private final FetchCall.Services services;
    private final FetchManager manager;
    private final FetchSessions sessions;

    public FetchHandler(
            PartitionDirectory partitions,
            StreamReader reader,
            Supplier<ClusterImage> image,
            Time time,
            FetchSettings settings,
            FetchQuota quota,
            NearReads near) {
        this.lookup = new PartitionLookup(partitions, image);
        this.services = new FetchCall.Services(lookup, reader, settings, new ReadFailures(), quota, near);
        this.manager = new FetchManager(time, sessionCache(settings));
        this.sessions = new FetchSessions(settings.sessionsMax(), settings.sessionIdleMs(), time);
    }

    private static FetchSession.FetchSessionCache sessionCache(FetchSettings settings) {
        List<FetchSessionCacheShard> shards = new ArrayList<>(SHARDS);
        for (int shard = 0; shard < SHARDS; shard++) {
            shards.add(new FetchSessionCacheShard(
                    Math.max(1, settings.sessionsMax() / SHARDS),
                    settings.sessionIdleMs(),
                    SESSION_IDS_PER_SHARD,
                    shard));
        }
        return new FetchSession.FetchSessionCache(shards);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.FETCH;
    }

    @Override
    public void handle(Request request) {
        FetchRequest body = (FetchRequest) request.body();
        if (body.isFromFollower() && !services.near().enabled()) {
            request.fail(new InvalidRequestException("replica " + body.replicaId()
                    + " asks to follow: partitions here have no followers, unless replica.selector.class is set"));
            return;
        }
        if (body.version() >= TOPIC_ID_VERSION
                && body.data().topics().stream()
                        .anyMatch(topic -> topic.topicId().equals(Uuid.ZERO_UUID))) {
            // Nobody's id; and Kafka's answers cannot name what has neither an id nor a name
            request.fail(new UnknownTopicIdException("a topic is asked for by the id " + Uuid.ZERO_UUID));
            return;
        }
        if (body.isFromFollower()) {
            services.near().heard(body.replicaId());
        }
        FetchMetadata metadata = body.metadata();
        FetchSlots known = sessions.find(metadata.sessionId());
        if (known != null && known.loop() == request.eventLoop()) {
            finishEarlier(known);
        }
        Map<Uuid, String> names = body.version() >= TOPIC_ID_VERSION
                ? lookup.image().metadata().topics().topicIdToNameView()
                : Map.of();
        Map<TopicIdPartition, FetchRequest.PartitionData> wanted = body.fetchData(names);
        List<TopicIdPartition> forgotten = body.forgottenTopics(names);
        FetchContext context = isSessionId(metadata.sessionId())
                ? manager.newContext(body.version(), metadata, body.isFromFollower(), wanted, forgotten, names)
                : new FetchContext.SessionErrorContext(Errors.FETCH_SESSION_ID_NOT_FOUND);
        if (context instanceof FetchContext.IncrementalFetchContext) {
            continueSession(request, context, wanted, forgotten);
        } else {
            sessions.drop(metadata.sessionId());
            if (context instanceof FetchContext.SessionErrorContext) {
                request.respond(context.updateAndGenerateResponseData(new LinkedHashMap<>(), List.of()));
            } else {
                startAnew(request, context, wanted);
            }
        }
    }

    /** A client that sends a session's next request before it has the answer gets the earlier one answered as it stands. */
    private static void finishEarlier(FetchSlots known) {
        FetchCall earlier = known.call();
        if (earlier != null) {
            earlier.finishNow();
        }
    }

    /** Kafka's session cache indexes its shards by the id unchecked. */
    private static boolean isSessionId(int sessionId) {
        return sessionId >= 0 && sessionId < SESSION_IDS_PER_SHARD * SHARDS;
    }

    private void startAnew(
            Request request, FetchContext context, Map<TopicIdPartition, FetchRequest.PartitionData> wanted) {
        FetchSlots slots = new FetchSlots(request.eventLoop());
        wanted.forEach(slots::want);
        run(request, context, slots, response -> {
            int sessionId = response == null ? FetchMetadata.INVALID_SESSION_ID : response.sessionId();
            if (sessionId == FetchMetadata.INVALID_SESSION_ID) {
                slots.dispose();
            } else {
                slots.watchAll();
                sessions.keep(sessionId, slots);
            }
        });
    }

    private void continueSession(
            Request request,
            FetchContext context,
            Map<TopicIdPartition, FetchRequest.PartitionData> wanted,
            List<TopicIdPartition> forgotten) {
        int sessionId = ((FetchRequest) request.body()).metadata().sessionId();
        FetchSlots known = sessions.find(sessionId);
        FetchSlots slots;
        if (known != null && known.loop() == request.eventLoop()) {
            slots = known;
            wanted.forEach(slots::want);
            forgotten.forEach(slots::forget);
        } else {
            slots = new FetchSlots(request.eventLoop());
            context.foreachPartition(slots::want);
            slots.watchAll();
            sessions.keep(sessionId, slots);
        }
        request.onDisconnect(() -> sessions.drop(sessionId, slots));
        run(request, context, slots, response -> {
            if (response == null || response.error() != Errors.NONE) {
                sessions.drop(sessionId, slots);
            }
        });
    }

    private void run(
            Request request, FetchContext context, FetchSlots slots, Consumer<@Nullable FetchResponse> afterAnswer) {
        FetchCall call = new FetchCall(request, context, slots, services, afterAnswer);
        request.onDisconnect(() -> onLoop(request, call::drop));
        call.start();
    }

    private static void onLoop(Request request, Runnable step) {
        if (request.eventLoop().inEventLoop()) {
            step.run();
        } else {
            request.eventLoop().execute(step);
        }
    }

    /** Incremental sessions whose partitions are remembered, for metrics. */
    public int sessions() {
        return sessions.size();
    }
}
