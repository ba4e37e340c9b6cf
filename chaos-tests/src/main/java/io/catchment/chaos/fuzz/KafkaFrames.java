package io.catchment.chaos.fuzz;

import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;

/**
 * Requests of every API at every version that Kafka 4.4's clients and brokers speak, full of crazy values, then mutated. Pure: a seed makes the
 * same frames as long as names and ids are the same.
 *
 * <p>Left out is what a server without passwords must obey though it harms those who behave: quotas of everybody, and forged messages of
 * controllers that know the cluster's id (they get another one).
 */
final class KafkaFrames {
    private static final Set<ApiKeys> OBEYED = EnumSet.of(ApiKeys.ALTER_CLIENT_QUOTAS, ApiKeys.UNREGISTER_BROKER);
    private static final int TRIES = 8;
    private static final int FRAME_BYTES_MAX = 2 << 20;

    private final List<ApiKeys> apis;
    private final Messages messages;
    private final Words words;

    private KafkaFrames(List<ApiKeys> apis, Words words, Map<String, String> fixed) {
        this.apis = apis;
        this.words = words;
        this.messages = new Messages(words, fixed);
    }

    static KafkaFrames ofClients(Words words) {
        List<ApiKeys> apis = ApiKeys.brokerApis().stream()
                .filter(api -> !OBEYED.contains(api))
                .sorted()
                .toList();
        return new KafkaFrames(apis, words, Map.of());
    }

    /** For the controllers' listener. */
    static KafkaFrames ofControllers(Words words) {
        List<ApiKeys> apis = List.of(
                ApiKeys.FETCH,
                ApiKeys.FETCH_SNAPSHOT,
                ApiKeys.VOTE,
                ApiKeys.BEGIN_QUORUM_EPOCH,
                ApiKeys.END_QUORUM_EPOCH,
                ApiKeys.DESCRIBE_QUORUM,
                ApiKeys.ADD_RAFT_VOTER,
                ApiKeys.REMOVE_RAFT_VOTER,
                ApiKeys.UPDATE_RAFT_VOTER,
                ApiKeys.API_VERSIONS,
                ApiKeys.METADATA,
                ApiKeys.CREATE_TOPICS);
        return new KafkaFrames(apis, words, Map.of("ClusterId", "another-cluster"));
    }

    /** With its length in front. */
    byte[] next(SplittableRandom random) {
        byte[] frame = valid(random);
        return Mutation.any(frame, random);
    }

    byte[] valid(SplittableRandom random) {
        for (int attempt = 0; attempt < TRIES; attempt++) {
            ApiKeys api = Words.pick(apis, random);
            short version = (short) random.nextInt(api.oldestVersion(), api.latestVersion(true) + 1);
            ApiMessage body = api.messageType.newRequest();
            messages.fill(body, attempt == 0 ? 0.9 : 0.6 / attempt, random);
            try {
                byte[] frame = frame(api, version, body, random.nextInt());
                if (frame.length <= FRAME_BYTES_MAX) {
                    return frame;
                }
            } catch (RuntimeException notOfThisVersion) {
                // Tried again with less set
            }
        }
        return frame(ApiKeys.API_VERSIONS, (short) 0, ApiKeys.API_VERSIONS.messageType.newRequest(), 1);
    }

    private byte[] frame(ApiKeys api, short version, ApiMessage body, int correlation) {
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion(version)
                .setCorrelationId(correlation)
                .setClientId(words.names().get(0));
        ByteBuffer head = MessageUtil.toByteBufferAccessor(header, api.requestHeaderVersion(version))
                .buffer();
        ByteBuffer rest = MessageUtil.toByteBufferAccessor(body, version).buffer();
        int length = head.remaining() + rest.remaining();
        return ByteBuffer.allocate(Integer.BYTES + length)
                .putInt(length)
                .put(head)
                .put(rest)
                .array();
    }
}
