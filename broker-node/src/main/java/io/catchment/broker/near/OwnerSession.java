package io.catchment.broker.near;

import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchMetadata;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How this node hears from one owner: by Fetch requests of a follower, in an incremental session (KIP-227), which the owner answers when a
 * stream has come further than the request says, or after a while; no records come with it. A request and an answer cost what has
 * changed, not what is followed. Owned by the thread of {@link NearPartitions}.
 *
 * <p>One request is under way at a time, but for a stream that is new: then the next one is sent behind it, which makes the owner answer the first
 * at once. What is wrong with one stream (its owner has not heard of the epoch yet, say) rests that stream for a moment; what is wrong
 * with the connection or the session begins a new session.
 */
final class OwnerSession {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerSession.class);
    /** How long the owner holds an answer back while there is no news: so often it is heard from. */
    static final int WAIT_MS = 500;

    private static final int UNDER_WAY_MAX = 2;
    private static final int REST_MS = 50;
    private static final int REST_MS_MAX = 1_000;
    /** An owner that keeps no session for us is asked that often. */
    private static final int WITHOUT_SESSION_MS = 100;

    private final int nodeId;
    private final long nodeEpoch;
    private final Supplier<Optional<Node>> address;
    private final OwnerQuestions questions;
    private final SerialLoop loop;
    private final Consumer<NearPartition> news;
    private final SplittableRandom random;
    private final Backoff backoff;
    private final Map<Key, Followed> followed = new HashMap<>();
    /** What the next request has to say: streams that are new, or have come further. */
    private final Set<Followed> toSend = new LinkedHashSet<>();

    private final Map<Key, TopicIdPartition> toForget = new LinkedHashMap<>();
    private int newcomers;
    private int sessionId = FetchMetadata.INVALID_SESSION_ID;
    private int nextEpoch;
    private int underWay;
    private long heardNanos;
    /** Counts sessions: an answer of an earlier one is nobody's. */
    private int generation;

    private boolean resting;
    private boolean closed;

    private record Key(Uuid topicId, int partition) {
        static Key of(NearPartition partition) {
            return new Key(partition.topicId(), partition.topicPartition().partition());
        }
    }

    /** A stream of this owner. */
    private static final class Followed {
        final NearPartition partition;
        final Backoff errors;
        /** The owner has said something of it in this session, and nothing bad since. */
        boolean joined;
        /** While it has not joined: since when nothing is heard. */
        long silentSinceNanos;

        boolean rests;

        Followed(NearPartition partition, Backoff errors, long nowNanos) {
            this.partition = partition;
            this.errors = errors;
            this.silentSinceNanos = nowNanos;
        }
    }

    /**
     * @param nodeId of this node, in its present epoch
     * @param address of the owner, as the image has it
     * @param news told of a stream of which the owner has said more
     */
    OwnerSession(
            int nodeId,
            long nodeEpoch,
            Supplier<Optional<Node>> address,
            OwnerQuestions questions,
            SerialLoop loop,
            Consumer<NearPartition> news,
            SplittableRandom random) {
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.address = address;
        this.questions = questions;
        this.loop = loop;
        this.news = news;
        this.random = random;
        this.backoff = newBackoff();
    }

    private Backoff newBackoff() {
        return new Backoff(REST_MS, REST_MS_MAX, random.split());
    }

    void follow(NearPartition partition) {
        Followed added = new Followed(partition, newBackoff(), loop.nanoTime());
        Followed before = followed.put(Key.of(partition), added);
        if (before != null) {
            toSend.remove(before);
        }
        join(added);
    }

    private void join(Followed each) {
        toForget.remove(Key.of(each.partition));
        if (toSend.add(each)) {
            newcomers++;
        }
        goOn();
    }

    void leave(NearPartition partition) {
        Key key = Key.of(partition);
        Followed known = followed.get(key);
        if (known != null && known.partition == partition) {
            followed.remove(key);
            toSend.remove(known);
            forget(known);
        }
    }

    private void forget(Followed each) {
        NearPartition partition = each.partition;
        toForget.put(Key.of(partition), new TopicIdPartition(partition.topicId(), partition.topicPartition()));
    }

    boolean isEmpty() {
        return followed.isEmpty();
    }

    /** Says of each stream whether its owner was silent about it for that long. */
    void checkSilence(long silenceNanos) {
        long now = loop.nanoTime();
        for (Followed each : followed.values()) {
            each.partition.silent(now - (each.joined ? heardNanos : each.silentSinceNanos) > silenceNanos);
        }
    }

    void close() {
        closed = true;
        followed.clear();
        startAnew();
    }

    // ---- asking

    private void goOn() {
        if (closed || resting || followed.isEmpty()) {
            return;
        }
        boolean hasSession = sessionId != FetchMetadata.INVALID_SESSION_ID;
        if (underWay == 0 || (hasSession && underWay < UNDER_WAY_MAX && newcomers > 0)) {
            ask(!hasSession);
        }
    }

    private void ask(boolean full) {
        Optional<Node> owner = address.get();
        if (owner.isEmpty()) {
            failed("it is fenced, or has no address here");
            return;
        }
        Map<TopicPartition, FetchRequest.PartitionData> wanted = new LinkedHashMap<>();
        for (Followed each : full ? followed.values() : toSend) {
            if (!each.rests) {
                wanted.put(each.partition.topicPartition(), wanted(each.partition));
            }
        }
        FetchRequest.Builder request = FetchRequest.Builder.forReplica(
                        ApiKeys.FETCH.latestVersion(), nodeId, nodeEpoch, WAIT_MS, 1, wanted)
                .removed(full ? List.of() : List.copyOf(toForget.values()))
                .metadata(full ? FetchMetadata.INITIAL : new FetchMetadata(sessionId, nextEpoch));
        nextEpoch = FetchMetadata.nextEpoch(full ? FetchMetadata.INITIAL_EPOCH : nextEpoch);
        toSend.clear();
        toForget.clear();
        newcomers = 0;
        underWay++;
        int asked = generation;
        var unused = questions
                .ask(owner.get(), request)
                .whenComplete((answer, failure) -> loop.execute(() -> answered(asked, full, answer, failure)));
    }

    private static FetchRequest.PartitionData wanted(NearPartition partition) {
        return new FetchRequest.PartitionData(
                partition.topicId(),
                partition.toldHighWatermark(),
                0,
                Integer.MAX_VALUE,
                Optional.of(partition.leaderEpoch()));
    }

    // ---- answers

    private void answered(int asked, boolean full, @Nullable FetchResponse answer, @Nullable Throwable failure) {
        if (asked != generation || closed) {
            return;
        }
        underWay--;
        if (answer == null || answer.error() != Errors.NONE) {
            failed(answer == null ? String.valueOf(failure) : answer.error().toString());
            return;
        }
        backoff.succeeded();
        heardNanos = loop.nanoTime();
        if (full) {
            sessionId = answer.sessionId();
        }
        answer.data().responses().forEach(topic -> topic.partitions().forEach(partition -> {
            Followed each = followed.get(new Key(topic.topicId(), partition.partitionIndex()));
            if (each != null && !each.rests) {
                said(each, partition);
            }
        }));
        if (sessionId == FetchMetadata.INVALID_SESSION_ID) {
            restAll(WITHOUT_SESSION_MS);
        } else {
            goOn();
        }
    }

    private void said(Followed each, PartitionData partition) {
        if (partition.errorCode() != Errors.NONE.code()) {
            rest(each);
            return;
        }
        each.joined = true;
        each.errors.succeeded();
        each.partition.told(partition.highWatermark(), partition.lastStableOffset());
        toSend.add(each);
        news.accept(each.partition);
    }

    /** The owner does not know it, or not yet: asked again in a moment, alone. */
    private void rest(Followed each) {
        apart(each);
        each.rests = true;
        toSend.remove(each);
        forget(each);
        loop.schedule(
                () -> {
                    each.rests = false;
                    if (followed.get(Key.of(each.partition)) == each) {
                        join(each);
                    }
                },
                each.errors.failedMs());
    }

    private void apart(Followed each) {
        if (each.joined) {
            each.joined = false;
            each.silentSinceNanos = heardNanos;
        }
    }

    private void failed(String why) {
        startAnew();
        restAll(backoff.failedMs());
        if (backoff.isWorthALine()) {
            LOG.info(
                    "The owner of {} streams that are read here does not say how far they are: {}",
                    followed.size(),
                    why);
        }
    }

    private void restAll(long ms) {
        resting = true;
        loop.schedule(
                () -> {
                    resting = false;
                    goOn();
                },
                ms);
    }

    private void startAnew() {
        generation++;
        underWay = 0;
        sessionId = FetchMetadata.INVALID_SESSION_ID;
        toSend.clear();
        toForget.clear();
        newcomers = 0;
        followed.values().forEach(this::apart);
    }
}
