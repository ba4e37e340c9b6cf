package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** What clients ask about the cluster and its topics, and how these are changed. */
final class TopicExchanges {
    private static final byte TOPIC = 2;
    private static final byte BROKER = 4;

    private final String topic;
    private final Uuid topicId;
    private final AtomicInteger created = new AtomicInteger();

    TopicExchanges(String topic, Uuid topicId) {
        this.topic = topic;
        this.topicId = topicId;
    }

    List<Exchange> all() {
        List<Exchange> all = new ArrayList<>(lookups());
        all.addAll(topics());
        all.addAll(configs());
        return all;
    }

    private List<Exchange> lookups() {
        return List.of(
                Exchange.of(ApiKeys.API_VERSIONS, Errors.NONE, (client, version) -> {
                    ApiVersionsResponseData answer = client.call(
                            ApiKeys.API_VERSIONS,
                            version,
                            version < 3
                                    ? new ApiVersionsRequestData()
                                    : new ApiVersionsRequestData()
                                            .setClientSoftwareName("raw")
                                            .setClientSoftwareVersion("1.0"));
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(answer.apiKeys().find(ApiKeys.API_VERSIONS.id).maxVersion())
                            .isGreaterThanOrEqualTo(version);
                }),
                new Exchange(ApiKeys.API_VERSIONS, Errors.INVALID_REQUEST, 3, (client, version) -> {
                    ApiVersionsResponseData answer = client.call(
                            ApiKeys.API_VERSIONS,
                            version,
                            new ApiVersionsRequestData().setClientSoftwareName("no way"));
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.INVALID_REQUEST);
                }),
                new Exchange(ApiKeys.API_VERSIONS, Errors.REBOOTSTRAP_REQUIRED, 5, (client, version) -> {
                    ApiVersionsResponseData answer = client.call(
                            ApiKeys.API_VERSIONS,
                            version,
                            new ApiVersionsRequestData()
                                    .setClientSoftwareName("raw")
                                    .setClientSoftwareVersion("1.0")
                                    .setClusterId("another")
                                    .setNodeId(4711));
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.REBOOTSTRAP_REQUIRED);
                }),
                Exchange.of(ApiKeys.METADATA, Errors.NONE, (client, version) -> {
                    MetadataResponseTopic described = metadata(client, version, topic);
                    assertThat(Errors.forCode(described.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(described.partitions()).hasSize(1).allSatisfy(partition -> {
                        assertThat(partition.leaderId()).isEqualTo(1);
                        assertThat(partition.replicaNodes()).containsExactly(1);
                    });
                }),
                Exchange.of(ApiKeys.METADATA, Errors.INVALID_TOPIC_EXCEPTION, (client, version) -> {
                    assertThat(Errors.forCode(
                                    metadata(client, version, "no way").errorCode()))
                            .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
                }),
                new Exchange(ApiKeys.METADATA, Errors.UNKNOWN_TOPIC_OR_PARTITION, 4, (client, version) -> {
                    assertThat(Errors.forCode(
                                    metadata(client, version, "nobody").errorCode()))
                            .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.DESCRIBE_CLUSTER, Errors.NONE, (client, version) -> {
                    DescribeClusterResponseData answer =
                            client.call(ApiKeys.DESCRIBE_CLUSTER, version, new DescribeClusterRequestData());
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(answer.brokers()).hasSize(1);
                    assertThat(answer.clusterId()).isNotEmpty();
                }),
                new Exchange(ApiKeys.DESCRIBE_CLUSTER, Errors.UNSUPPORTED_ENDPOINT_TYPE, 1, (client, version) -> {
                    DescribeClusterResponseData answer = client.call(
                            ApiKeys.DESCRIBE_CLUSTER, version, new DescribeClusterRequestData().setEndpointType((byte)
                                            9));
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.UNSUPPORTED_ENDPOINT_TYPE);
                }),
                Exchange.of(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, Errors.NONE, (client, version) -> {
                    DescribeTopicPartitionsResponseData answer = describePartitions(client, version, topic);
                    assertThat(answer.topics().find(topic).partitions())
                            .allSatisfy(partition ->
                                    assertThat(partition.leaderId()).isEqualTo(1));
                }),
                Exchange.of(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    DescribeTopicPartitionsResponseData answer = describePartitions(client, version, "nobody");
                    assertThat(Errors.forCode(answer.topics().find("nobody").errorCode()))
                            .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }));
    }

    private List<Exchange> topics() {
        return List.of(
                Exchange.of(ApiKeys.CREATE_TOPICS, Errors.NONE, (client, version) -> {
                    CreatableTopicResult result = create(client, version, fresh());
                    assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
                    if (version >= 5) {
                        assertThat(result.numPartitions()).isEqualTo(2);
                        assertThat(result.configs()).isNotEmpty();
                    }
                }),
                Exchange.of(ApiKeys.CREATE_TOPICS, Errors.TOPIC_ALREADY_EXISTS, (client, version) -> {
                    assertThat(Errors.forCode(create(client, version, topic).errorCode()))
                            .isEqualTo(Errors.TOPIC_ALREADY_EXISTS);
                }),
                Exchange.of(ApiKeys.DELETE_TOPICS, Errors.NONE, (client, version) -> {
                    String name = fresh();
                    create(client, (short) 7, name);
                    assertThat(Errors.forCode(delete(client, version, name).errorCode()))
                            .isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.DELETE_TOPICS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    assertThat(Errors.forCode(delete(client, version, "nobody").errorCode()))
                            .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.CREATE_PARTITIONS, Errors.NONE, (client, version) -> {
                    String name = fresh();
                    create(client, (short) 7, name);
                    assertThat(Errors.forCode(grow(client, version, name, 5).errorCode()))
                            .isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.CREATE_PARTITIONS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    assertThat(Errors.forCode(grow(client, version, "nobody", 5).errorCode()))
                            .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.CREATE_PARTITIONS, Errors.INVALID_PARTITIONS, (client, version) -> {
                    assertThat(Errors.forCode(grow(client, version, topic, 1).errorCode()))
                            .isEqualTo(Errors.INVALID_PARTITIONS);
                }));
    }

    private List<Exchange> configs() {
        return List.of(
                Exchange.of(ApiKeys.DESCRIBE_CONFIGS, Errors.NONE, (client, version) -> {
                    for (DescribeConfigsResult described :
                            List.of(configs(client, version, TOPIC, topic), configs(client, version, BROKER, "1"))) {
                        assertThat(Errors.forCode(described.errorCode())).isEqualTo(Errors.NONE);
                        assertThat(described.configs()).isNotEmpty();
                    }
                }),
                Exchange.of(ApiKeys.DESCRIBE_CONFIGS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    assertThat(Errors.forCode(
                                    configs(client, version, TOPIC, "nobody").errorCode()))
                            .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.ALTER_CONFIGS, Errors.NONE, (client, version) -> {
                    assertThat(replace(client, version, "86400000")).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.ALTER_CONFIGS, Errors.INVALID_CONFIG, (client, version) -> {
                    assertThat(replace(client, version, "soon")).isEqualTo(Errors.INVALID_CONFIG);
                }),
                Exchange.of(ApiKeys.INCREMENTAL_ALTER_CONFIGS, Errors.NONE, (client, version) -> {
                    assertThat(alter(client, version, "retention.ms", "86400000"))
                            .isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.INCREMENTAL_ALTER_CONFIGS, Errors.INVALID_CONFIG, (client, version) -> {
                    assertThat(alter(client, version, "no.such.key", "1")).isEqualTo(Errors.INVALID_CONFIG);
                }));
    }

    private String fresh() {
        return "created-" + created.incrementAndGet();
    }

    private MetadataResponseTopic metadata(RawClient client, short version, String name) throws IOException {
        MetadataRequestData data =
                new MetadataRequestData().setTopics(List.of(new MetadataRequestTopic().setName(name)));
        if (version >= 4) {
            data.setAllowAutoTopicCreation(false);
        }
        MetadataResponseData answer = client.call(ApiKeys.METADATA, version, data);
        assertThat(answer.brokers()).hasSize(1);
        MetadataResponseTopic described = answer.topics().find(name);
        if (version >= 10 && name.equals(topic)) {
            assertThat(described.topicId()).isEqualTo(topicId);
        }
        return described;
    }

    private static DescribeTopicPartitionsResponseData describePartitions(RawClient client, short version, String name)
            throws IOException {
        return client.call(
                ApiKeys.DESCRIBE_TOPIC_PARTITIONS,
                version,
                new DescribeTopicPartitionsRequestData().setTopics(List.of(new TopicRequest().setName(name))));
    }

    private static CreatableTopicResult create(RawClient client, short version, String name) throws IOException {
        CreateTopicsRequestData data = new CreateTopicsRequestData().setTimeoutMs(10_000);
        data.topics().add(new CreatableTopic().setName(name).setNumPartitions(2).setReplicationFactor((short) 1));
        CreateTopicsResponseData answer = client.call(ApiKeys.CREATE_TOPICS, version, data);
        return answer.topics().find(name);
    }

    private static DeletableTopicResult delete(RawClient client, short version, String name) throws IOException {
        DeleteTopicsRequestData data = new DeleteTopicsRequestData().setTimeoutMs(10_000);
        if (version >= 6) {
            data.topics().add(new DeleteTopicState().setName(name));
        } else {
            data.topicNames().add(name);
        }
        DeleteTopicsResponseData answer = client.call(ApiKeys.DELETE_TOPICS, version, data);
        return answer.responses().find(name);
    }

    private static CreatePartitionsTopicResult grow(RawClient client, short version, String name, int count)
            throws IOException {
        CreatePartitionsRequestData data = new CreatePartitionsRequestData().setTimeoutMs(10_000);
        data.topics()
                .add(new CreatePartitionsTopic().setName(name).setCount(count).setAssignments(null));
        CreatePartitionsResponseData answer = client.call(ApiKeys.CREATE_PARTITIONS, version, data);
        return answer.results().get(0);
    }

    private static DescribeConfigsResult configs(RawClient client, short version, byte type, String name)
            throws IOException {
        DescribeConfigsRequestData data = new DescribeConfigsRequestData()
                .setResources(List.of(new DescribeConfigsResource()
                        .setResourceType(type)
                        .setResourceName(name)
                        .setConfigurationKeys(null)))
                .setIncludeSynonyms(true)
                .setIncludeDocumentation(version >= 3);
        DescribeConfigsResponseData answer = client.call(ApiKeys.DESCRIBE_CONFIGS, version, data);
        return answer.results().get(0);
    }

    private Errors replace(RawClient client, short version, String retentionMs) throws IOException {
        AlterConfigsRequestData.AlterConfigsResource resource = new AlterConfigsRequestData.AlterConfigsResource()
                .setResourceType(TOPIC)
                .setResourceName(topic);
        resource.configs()
                .add(new AlterConfigsRequestData.AlterableConfig()
                        .setName("retention.ms")
                        .setValue(retentionMs));
        AlterConfigsRequestData data = new AlterConfigsRequestData();
        data.resources().add(resource);
        AlterConfigsResponseData answer = client.call(ApiKeys.ALTER_CONFIGS, version, data);
        return Errors.forCode(answer.responses().get(0).errorCode());
    }

    private Errors alter(RawClient client, short version, String key, String value) throws IOException {
        AlterConfigsResource resource =
                new AlterConfigsResource().setResourceType(TOPIC).setResourceName(topic);
        resource.configs().add(new AlterableConfig().setName(key).setValue(value));
        IncrementalAlterConfigsRequestData data = new IncrementalAlterConfigsRequestData();
        data.resources().add(resource);
        IncrementalAlterConfigsResponseData answer = client.call(ApiKeys.INCREMENTAL_ALTER_CONFIGS, version, data);
        return Errors.forCode(answer.responses().get(0).errorCode());
    }
}
