package io.catchment.broker.logdirs;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirPartitionResult;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterReplicaLogDirsRequest;
import org.apache.kafka.common.requests.AlterReplicaLogDirsResponse;

/**
 * AlterReplicaLogDirs (KIP-113): a partition is to lie in a directory of this node. There is one, so what is asked for is so already, or
 * impossible. {@code kafka-reassign-partitions} asks for it when it takes partitions back to where they were.
 */
public final class AlterReplicaLogDirsHandler implements ApiHandler {
    private final ControlPlane controlPlane;
    private final LogDirectory directory;

    public AlterReplicaLogDirsHandler(ControlPlane controlPlane, LogDirectory directory) {
        this.controlPlane = controlPlane;
        this.directory = directory;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_REPLICA_LOG_DIRS;
    }

    @Override
    public void handle(Request request) {
        Map<TopicPartition, String> wanted = ((AlterReplicaLogDirsRequest) request.body()).partitionDirs();
        ClusterImage image = controlPlane.image();
        Map<String, AlterReplicaLogDirTopicResult> topics = new LinkedHashMap<>();
        wanted.forEach((partition, path) -> topics.computeIfAbsent(
                        partition.topic(), name -> new AlterReplicaLogDirTopicResult().setTopicName(name))
                .partitions()
                .add(new AlterReplicaLogDirPartitionResult()
                        .setPartitionIndex(partition.partition())
                        .setErrorCode(answer(image, partition, path).code())));
        AlterReplicaLogDirsResponseData data = new AlterReplicaLogDirsResponseData();
        data.results().addAll(topics.values());
        request.respond(new AlterReplicaLogDirsResponse(data));
    }

    private Errors answer(ClusterImage image, TopicPartition partition, String path) {
        if (!path.equals(directory.name())) {
            return Errors.LOG_DIR_NOT_FOUND;
        }
        TopicState topic = image.topic(partition.topic()).orElse(null);
        if (topic == null
                || partition.partition() < 0
                || partition.partition() >= topic.streams().size()) {
            return Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        boolean here = image.stream(topic.streams().get(partition.partition()))
                .map(StreamState::ownerNodeId)
                .filter(owner -> owner == directory.nodeId())
                .isPresent();
        return here ? Errors.NONE : Errors.REPLICA_NOT_AVAILABLE;
    }
}
