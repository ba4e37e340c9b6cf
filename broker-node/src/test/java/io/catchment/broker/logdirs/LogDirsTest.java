package io.catchment.broker.logdirs;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterReplicaLogDirsRequest;
import org.apache.kafka.common.requests.AlterReplicaLogDirsResponse;
import org.apache.kafka.common.requests.DescribeLogDirsRequest;
import org.apache.kafka.common.requests.DescribeLogDirsResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogDirsTest {
    @TempDir
    Path directory;

    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");

    LogDirsTest() {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(
                        new Command.CreateTopic("a", 3, (short) 1, Map.of(), List.of(1, 2, 1)),
                        new Command.CreateTopic("b", 1, (short) 1, Map.of(), List.of(2))),
                false));
    }

    @Test
    void aNodeTellsOfThePartitionsItOwnsAndOfItsDisk() {
        DescribeLogDirsResult here = describe(1, new DescribeLogDirsRequestData().setTopics(null));
        assertThat(here.errorCode()).isZero();
        assertThat(here.logDir()).isEqualTo(directory.toString());
        assertThat(here.topics()).extracting(DescribeLogDirsTopic::name).containsExactly("a");
        assertThat(here.topics().get(0).partitions())
                .extracting(DescribeLogDirsPartition::partitionIndex)
                .containsExactly(0, 2);
        assertThat(here.usableBytes()).isPositive().isLessThanOrEqualTo(here.totalBytes());

        assertThat(describe(2, new DescribeLogDirsRequestData().setTopics(null)).topics())
                .extracting(DescribeLogDirsTopic::name)
                .containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void onlyThePartitionsAskedForAreTold() {
        DescribeLogDirsRequestData data = new DescribeLogDirsRequestData();
        data.topics().add(new DescribableLogDirTopic().setTopic("a").setPartitions(List.of(1, 2)));
        assertThat(describe(1, data).topics().get(0).partitions())
                .extracting(DescribeLogDirsPartition::partitionIndex)
                .containsExactly(2);
    }

    @Test
    void aDiskThatDoesNotAnswerIsAStorageError() {
        DescribeLogDirsHandler lost =
                new DescribeLogDirsHandler(controlPlane, new LogDirectory(1, directory.resolve("gone")));
        DescribeLogDirsResult result = ask(lost, new DescribeLogDirsRequestData().setTopics(null));
        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
    }

    @Test
    void aPartitionLiesInTheOneDirectoryOfItsOwnerAndNowhereElse() {
        assertThat(alter(directory.toString(), "a", 0)).isEqualTo(Errors.NONE);
        assertThat(alter(directory.toString(), "a", 1)).isEqualTo(Errors.REPLICA_NOT_AVAILABLE);
        assertThat(alter(directory.toString(), "a", 7)).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(alter("/elsewhere", "a", 0)).isEqualTo(Errors.LOG_DIR_NOT_FOUND);
    }

    private DescribeLogDirsResult describe(int nodeId, DescribeLogDirsRequestData data) {
        return ask(new DescribeLogDirsHandler(controlPlane, new LogDirectory(nodeId, directory)), data);
    }

    private static DescribeLogDirsResult ask(DescribeLogDirsHandler handler, DescribeLogDirsRequestData data) {
        DescribeLogDirsResponse response = (DescribeLogDirsResponse) FakeRequest.call(
                handler, new DescribeLogDirsRequest.Builder(data).build(ApiKeys.DESCRIBE_LOG_DIRS.latestVersion()));
        assertThat(response.data().results()).hasSize(1);
        return response.data().results().get(0);
    }

    private Errors alter(String path, String topic, int partition) {
        AlterReplicaLogDir wanted = new AlterReplicaLogDir().setPath(path);
        wanted.topics().add(new AlterReplicaLogDirTopic().setName(topic).setPartitions(List.of(partition)));
        AlterReplicaLogDirsRequestData data = new AlterReplicaLogDirsRequestData();
        data.dirs().add(wanted);
        AlterReplicaLogDirsResponse response = (AlterReplicaLogDirsResponse) FakeRequest.call(
                new AlterReplicaLogDirsHandler(controlPlane, new LogDirectory(1, directory)),
                new AlterReplicaLogDirsRequest.Builder(data).build());
        return Errors.forCode(
                response.data().results().get(0).partitions().get(0).errorCode());
    }
}
