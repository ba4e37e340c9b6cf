package io.catchment.broker.metadata;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.Later;
import io.catchment.broker.topicadmin.TopicAutoCreator;
import io.catchment.broker.topicadmin.TopicOpenings;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;

/**
 * Metadata: the brokers this listener's clients can reach, and the owners of the topics asked for.
 *
 * <p>A topic that is created by being asked for is waited for a moment, so that most clients get its owners at once; when that
 * takes longer they get UNKNOWN_TOPIC_OR_PARTITION and ask again, which is what Kafka always answers.
 */
public final class MetadataHandler implements ApiHandler {
    private static final long CREATION_WAIT_MS = 1_000;

    private final ControlPlane controlPlane;
    private final TopicAutoCreator creator;
    private final boolean autoCreate;
    private final PartitionDescriptions descriptions;
    private final TopicOpenings openings;

    /**
     * @param autoCreate auto.create.topics.enable
     * @param nearReads consumers may read in their zone (KIP-392)
     */
    public MetadataHandler(ControlPlane controlPlane, TopicAutoCreator creator, boolean autoCreate, boolean nearReads) {
        this.controlPlane = controlPlane;
        this.creator = creator;
        this.autoCreate = autoCreate;
        this.descriptions = PartitionDescriptions.of(controlPlane, nearReads);
        this.openings = TopicOpenings.of(controlPlane);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.METADATA;
    }

    @Override
    public void handle(Request request) {
        MetadataRequest body = (MetadataRequest) request.body();
        check(body);
        ClusterImage image = controlPlane.image();
        Set<String> missing = autoCreate && body.allowAutoTopicCreation() ? missing(body, image) : Set.of();
        if (missing.isEmpty()) {
            request.respond(answer(request, body, image, Map.of()));
            return;
        }
        CompletionStage<Map<String, Errors>> created = creator.create(missing)
                .toCompletableFuture()
                .copy()
                .completeOnTimeout(Map.of(), CREATION_WAIT_MS, TimeUnit.MILLISECONDS)
                .thenCompose(outcomes ->
                        openings.opened(outcomes.keySet(), CREATION_WAIT_MS).thenApply(open -> outcomes));
        Later.respond(
                request,
                created,
                (outcomes, failure) ->
                        answer(request, body, controlPlane.image(), failure == null ? outcomes : Map.of()));
    }

    private static void check(MetadataRequest body) {
        if (body.isAllTopics() || body.version() >= 12) {
            return;
        }
        for (MetadataRequestTopic topic : body.data().topics()) {
            if (topic.name() == null) {
                throw new InvalidRequestException("Topic name can not be null for version " + body.version());
            } else if (!topic.topicId().equals(Uuid.ZERO_UUID)) {
                throw new InvalidRequestException(
                        "Topic IDs are not supported in requests for version " + body.version());
            }
        }
    }

    private static Set<String> missing(MetadataRequest body, ClusterImage image) {
        if (body.isAllTopics() || byIds(body)) {
            return Set.of();
        }
        Set<String> missing = new LinkedHashSet<>();
        for (MetadataRequestTopic topic : body.data().topics()) {
            if (image.topic(topic.name()).isEmpty()) {
                missing.add(topic.name());
            }
        }
        return missing;
    }

    /** One id is enough for the names of a request not to count, as in Kafka. */
    private static boolean byIds(MetadataRequest body) {
        for (MetadataRequestTopic topic : body.data().topics()) {
            if (!topic.topicId().equals(Uuid.ZERO_UUID)) {
                return true;
            }
        }
        return false;
    }

    private MetadataResponse answer(
            Request request, MetadataRequest body, ClusterImage image, Map<String, Errors> outcomes) {
        short version = body.version();
        List<Node> alive = Brokers.alive(image, request.listener());
        MetadataResponseData data = new MetadataResponseData()
                .setClusterId(image.clusterId())
                .setControllerId(Brokers.controllerFor(image, alive));
        for (Node node : alive) {
            data.brokers()
                    .add(new MetadataResponseBroker()
                            .setNodeId(node.id())
                            .setHost(node.host())
                            .setPort(node.port())
                            .setRack(node.rack()));
        }
        Topics topics =
                new Topics(image, request.listener(), version, body.data().includeTopicAuthorizedOperations());
        if (body.isAllTopics()) {
            image.topics().forEach(topic -> data.topics().add(topics.known(topic)));
        } else if (byIds(body)) {
            addByIds(body, image, topics, data);
        } else {
            addByNames(body, image, topics, outcomes, data);
        }
        if (version >= 8 && version <= 10 && body.data().includeClusterAuthorizedOperations()) {
            data.setClusterAuthorizedOperations(Brokers.allOperations(ResourceType.CLUSTER));
        }
        return new MetadataResponse(data, version);
    }

    private static void addByIds(MetadataRequest body, ClusterImage image, Topics topics, MetadataResponseData data) {
        Set<Uuid> ids = new LinkedHashSet<>(body.topicIds());
        ids.remove(Uuid.ZERO_UUID);
        for (Uuid id : ids) {
            TopicState topic = image.topic(id).orElse(null);
            data.topics().add(topic == null ? topics.unknown(null, id, Errors.UNKNOWN_TOPIC_ID) : topics.known(topic));
        }
    }

    private static void addByNames(
            MetadataRequest body,
            ClusterImage image,
            Topics topics,
            Map<String, Errors> outcomes,
            MetadataResponseData data) {
        Set<String> names = new LinkedHashSet<>(body.topics());
        for (String name : names) {
            TopicState topic = image.topic(name).orElse(null);
            data.topics()
                    .add(
                            topic == null
                                    ? topics.unknown(name, Uuid.ZERO_UUID, unknown(name, outcomes.get(name)))
                                    : topics.known(topic));
        }
    }

    private static Errors unknown(String name, @Nullable Errors outcome) {
        try {
            Topic.validate(name);
        } catch (InvalidTopicException e) {
            return Errors.INVALID_TOPIC_EXCEPTION;
        }
        return outcome == Errors.INVALID_TOPIC_EXCEPTION ? outcome : Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }

    /** Makes the answer's topics as one version wants them. */
    private final class Topics {
        private final ClusterImage image;
        private final String listener;
        private final short version;
        private final int operations;

        Topics(ClusterImage image, String listener, short version, boolean withOperations) {
            this.image = image;
            this.listener = listener;
            this.version = version;
            this.operations = version >= 8 && withOperations
                    ? Brokers.allOperations(ResourceType.TOPIC)
                    : MetadataResponse.AUTHORIZED_OPERATIONS_OMITTED;
        }

        MetadataResponseTopic known(TopicState topic) {
            List<MetadataResponsePartition> partitions = version >= 6 ? descriptions.of(topic, listener) : old(topic);
            return new MetadataResponseTopic()
                    .setErrorCode(Errors.NONE.code())
                    .setName(topic.name())
                    .setTopicId(topic.topicId())
                    .setIsInternal(Topic.isInternal(topic.name()))
                    .setTopicAuthorizedOperations(operations)
                    .setPartitions(partitions);
        }

        MetadataResponseTopic unknown(@Nullable String name, Uuid id, Errors error) {
            return new MetadataResponseTopic()
                    .setErrorCode(error.code())
                    .setName(name)
                    .setTopicId(id)
                    .setIsInternal(name != null && Topic.isInternal(name))
                    .setTopicAuthorizedOperations(operations);
        }

        /** Versions below 6 know no LISTENER_NOT_FOUND, version 0 wants only replicas that can be reached. */
        private List<MetadataResponsePartition> old(TopicState topic) {
            List<MetadataResponsePartition> partitions = new ArrayList<>();
            for (MetadataResponsePartition partition : PartitionDescriptions.describe(image, topic, listener)) {
                MetadataResponsePartition copy = partition.duplicate();
                if (copy.errorCode() == Errors.LISTENER_NOT_FOUND.code()) {
                    copy.setErrorCode(Errors.LEADER_NOT_AVAILABLE.code());
                }
                if (version == 0) {
                    copy.replicaNodes().removeAll(copy.offlineReplicas());
                    copy.isrNodes().removeAll(copy.offlineReplicas());
                }
                partitions.add(copy);
            }
            return partitions;
        }
    }
}
