package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** The ways of records: Produce, Fetch and what goes with them. */
final class RecordExchanges {
    /** A topic with one partition, written to by these exchanges themselves. */
    private final String topic;

    private final Uuid topicId;
    /** A topic that is compacted: records without a key are refused. */
    private final String compacted;

    private final Uuid compactedId;
    private final int leaderEpoch;

    RecordExchanges(String topic, Uuid topicId, String compacted, Uuid compactedId, int leaderEpoch) {
        this.topic = topic;
        this.topicId = topicId;
        this.compacted = compacted;
        this.compactedId = compactedId;
        this.leaderEpoch = leaderEpoch;
    }

    List<Exchange> all() {
        List<Exchange> all = new ArrayList<>();
        all.add(Exchange.of(ApiKeys.PRODUCE, Errors.NONE, (client, version) -> {
            PartitionProduceResponse done = produce(client, version, (short) -1, topic, topicId, key());
            assertThat(Errors.forCode(done.errorCode())).isEqualTo(Errors.NONE);
            assertThat(done.baseOffset()).isNotNegative();
            if (version >= 5) {
                assertThat(done.logStartOffset()).isZero();
            }
        }));
        all.add(Exchange.of(ApiKeys.PRODUCE, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
            PartitionProduceResponse refused =
                    produce(client, version, (short) 1, "nobody", Uuid.fromString("AAAAAAAAAAAAAAAAAAAAbg"), key());
            assertThat(Errors.forCode(refused.errorCode())).isEqualTo(unknown(version >= 13));
        }));
        all.add(Exchange.of(ApiKeys.PRODUCE, Errors.INVALID_RECORD, (client, version) -> {
            PartitionProduceResponse refused =
                    produce(client, version, (short) -1, compacted, compactedId, new SimpleRecord(new byte[3]));
            assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.INVALID_RECORD);
            assertThat(refused.recordErrors()).hasSize(version >= 8 ? 1 : 0);
        }));
        all.add(Exchange.of(ApiKeys.PRODUCE, Errors.INVALID_REQUIRED_ACKS, (client, version) -> {
            PartitionProduceResponse refused = produce(client, version, (short) 7, topic, topicId, key());
            assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.INVALID_REQUIRED_ACKS);
        }));
        all.addAll(fetches());
        all.addAll(offsets());
        all.add(Exchange.of(ApiKeys.DELETE_RECORDS, Errors.NONE, (client, version) -> {
            DeleteRecordsPartitionResult done = deleteRecords(client, version, topic, 0);
            assertThat(Errors.forCode(done.errorCode())).isEqualTo(Errors.NONE);
            assertThat(done.lowWatermark()).isZero();
        }));
        all.add(Exchange.of(ApiKeys.DELETE_RECORDS, Errors.OFFSET_OUT_OF_RANGE, (client, version) -> {
            DeleteRecordsPartitionResult refused = deleteRecords(client, version, topic, Long.MAX_VALUE);
            assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
            assertThat(refused.lowWatermark()).isEqualTo(-1);
        }));
        all.add(Exchange.of(ApiKeys.DELETE_RECORDS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
            DeleteRecordsPartitionResult refused = deleteRecords(client, version, "nobody", 0);
            assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        }));
        all.add(Exchange.of(ApiKeys.DELETE_RECORDS, Errors.POLICY_VIOLATION, (client, version) -> {
            DeleteRecordsPartitionResult refused = deleteRecords(client, version, compacted, 0);
            assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.POLICY_VIOLATION);
        }));
        all.add(Exchange.of(ApiKeys.INIT_PRODUCER_ID, Errors.NONE, (client, version) -> {
            InitProducerIdResponseData given =
                    client.call(ApiKeys.INIT_PRODUCER_ID, version, producer().setTransactionalId(null));
            assertThat(Errors.forCode(given.errorCode())).isEqualTo(Errors.NONE);
            assertThat(given.producerId()).isNotNegative();
        }));
        all.add(Exchange.of(ApiKeys.INIT_PRODUCER_ID, Errors.INVALID_REQUEST, (client, version) -> {
            InitProducerIdResponseData refused =
                    client.call(ApiKeys.INIT_PRODUCER_ID, version, producer().setTransactionalId(""));
            assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.INVALID_REQUEST);
        }));
        return all;
    }

    private static DeleteRecordsPartitionResult deleteRecords(
            RawClient client, short version, String topic, long before) throws IOException {
        DeleteRecordsRequestData asked = new DeleteRecordsRequestData()
                .setTimeoutMs(10_000)
                .setTopics(List.of(new DeleteRecordsTopic()
                        .setName(topic)
                        .setPartitions(List.of(new DeleteRecordsPartition()
                                .setPartitionIndex(0)
                                .setOffset(before)))));
        DeleteRecordsResponseData answer = client.call(ApiKeys.DELETE_RECORDS, version, asked);
        return answer.topics().find(topic).partitions().find(0);
    }

    private List<Exchange> fetches() {
        return List.of(
                Exchange.of(ApiKeys.FETCH, Errors.NONE, (client, version) -> {
                    produce(client, (short) 12, (short) -1, topic, topicId, key());
                    FetchResponseData.PartitionData read = fetch(client, version, topic, topicId, 0, -1);
                    assertThat(Errors.forCode(read.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(read.highWatermark()).isPositive();
                    assertThat(((MemoryRecords) read.records()).records().iterator())
                            .hasNext();
                }),
                Exchange.of(ApiKeys.FETCH, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    FetchResponseData.PartitionData refused =
                            fetch(client, version, "nobody", Uuid.fromString("AAAAAAAAAAAAAAAAAAAAbg"), 0, -1);
                    assertThat(Errors.forCode(refused.errorCode())).isEqualTo(unknown(version >= 13));
                }),
                Exchange.of(ApiKeys.FETCH, Errors.OFFSET_OUT_OF_RANGE, (client, version) -> {
                    FetchResponseData.PartitionData refused =
                            fetch(client, version, topic, topicId, Long.MAX_VALUE - 1, -1);
                    assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
                }),
                new Exchange(ApiKeys.FETCH, Errors.UNKNOWN_LEADER_EPOCH, 9, (client, version) -> {
                    FetchResponseData.PartitionData refused =
                            fetch(client, version, topic, topicId, 0, leaderEpoch + 7);
                    assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.UNKNOWN_LEADER_EPOCH);
                }),
                new Exchange(ApiKeys.FETCH, Errors.FENCED_LEADER_EPOCH, 9, (client, version) -> {
                    FetchResponseData.PartitionData refused =
                            fetch(client, version, topic, topicId, 0, leaderEpoch - 1);
                    assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.FENCED_LEADER_EPOCH);
                }));
    }

    private List<Exchange> offsets() {
        return List.of(
                Exchange.of(ApiKeys.LIST_OFFSETS, Errors.NONE, (client, version) -> {
                    produce(client, (short) 12, (short) -1, topic, topicId, key());
                    assertThat(list(client, version, topic, -2).offset()).isZero();
                    ListOffsetsPartitionResponse end = list(client, version, topic, -1);
                    assertThat(end.offset()).isPositive();
                    assertThat(end.leaderEpoch()).isEqualTo(version >= 4 ? leaderEpoch : -1);
                    assertThat(list(client, version, topic, 1).offset()).isZero();
                    assertThat(list(client, version, topic, Long.MAX_VALUE).offset())
                            .isEqualTo(-1);
                }),
                new Exchange(ApiKeys.LIST_OFFSETS, Errors.NONE, 7, (client, version) -> {
                    produce(client, (short) 12, (short) -1, topic, topicId, key());
                    assertThat(list(client, version, topic, -3).offset()).isNotNegative();
                }),
                Exchange.of(ApiKeys.LIST_OFFSETS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    assertThat(Errors.forCode(
                                    list(client, version, "nobody", -1).errorCode()))
                            .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.OFFSET_FOR_LEADER_EPOCH, Errors.NONE, (client, version) -> {
                    EpochEndOffset end = epochEnd(client, version, topic, leaderEpoch, -1);
                    assertThat(Errors.forCode(end.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(end.leaderEpoch()).isEqualTo(leaderEpoch);
                    assertThat(end.endOffset()).isNotNegative();
                }),
                Exchange.of(ApiKeys.OFFSET_FOR_LEADER_EPOCH, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    EpochEndOffset refused = epochEnd(client, version, "nobody", 0, -1);
                    assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.OFFSET_FOR_LEADER_EPOCH, Errors.UNKNOWN_LEADER_EPOCH, (client, version) -> {
                    EpochEndOffset refused = epochEnd(client, version, topic, leaderEpoch, leaderEpoch + 7);
                    assertThat(Errors.forCode(refused.errorCode())).isEqualTo(Errors.UNKNOWN_LEADER_EPOCH);
                }));
    }

    private static SimpleRecord key() {
        return new SimpleRecord(1_000, new byte[] {'k'}, new byte[100]);
    }

    private static Errors unknown(boolean byId) {
        return byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }

    private static InitProducerIdRequestData producer() {
        return new InitProducerIdRequestData().setTransactionTimeoutMs(60_000);
    }

    private static PartitionProduceResponse produce(
            RawClient client, short version, short acks, String topic, Uuid topicId, SimpleRecord record)
            throws IOException {
        ProduceRequestData data = new ProduceRequestData().setAcks(acks).setTimeoutMs(30_000);
        ProduceRequestData.TopicProduceData to =
                new ProduceRequestData.TopicProduceData().setName(topic).setTopicId(topicId);
        to.partitionData()
                .add(new ProduceRequestData.PartitionProduceData()
                        .setIndex(0)
                        .setRecords(MemoryRecords.withRecords(Compression.NONE, record)));
        data.topicData().add(to);
        ProduceResponseData answer = client.call(ApiKeys.PRODUCE, version, data);
        ProduceResponseData.TopicProduceResponse of =
                answer.responses().iterator().next();
        if (version >= 13) {
            assertThat(of.topicId()).isEqualTo(topicId);
        } else {
            assertThat(of.name()).isEqualTo(topic);
        }
        return of.partitionResponses().get(0);
    }

    private static FetchResponseData.PartitionData fetch(
            RawClient client, short version, String topic, Uuid topicId, long offset, int epoch) throws IOException {
        FetchRequestData data =
                new FetchRequestData().setMaxWaitMs(1_000).setMinBytes(1).setMaxBytes(1 << 20);
        FetchRequestData.FetchTopic of =
                new FetchRequestData.FetchTopic().setTopic(topic).setTopicId(topicId);
        of.partitions()
                .add(new FetchRequestData.FetchPartition()
                        .setPartition(0)
                        .setFetchOffset(offset)
                        .setCurrentLeaderEpoch(epoch)
                        .setPartitionMaxBytes(1 << 20));
        data.topics().add(of);
        FetchResponseData answer = client.call(ApiKeys.FETCH, version, data);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return answer.responses().get(0).partitions().get(0);
    }

    private static ListOffsetsPartitionResponse list(RawClient client, short version, String topic, long timestamp)
            throws IOException {
        ListOffsetsRequestData data = new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(List.of(new ListOffsetsTopic()
                        .setName(topic)
                        .setPartitions(List.of(new ListOffsetsPartition().setTimestamp(timestamp)))));
        ListOffsetsResponseData answer = client.call(ApiKeys.LIST_OFFSETS, version, data);
        return answer.topics().get(0).partitions().get(0);
    }

    private static EpochEndOffset epochEnd(RawClient client, short version, String topic, int epoch, int current)
            throws IOException {
        OffsetForLeaderEpochRequestData data = new OffsetForLeaderEpochRequestData().setReplicaId(-1);
        data.topics()
                .add(new OffsetForLeaderTopic()
                        .setTopic(topic)
                        .setPartitions(List.of(new OffsetForLeaderPartition()
                                .setLeaderEpoch(epoch)
                                .setCurrentLeaderEpoch(current))));
        OffsetForLeaderEpochResponseData answer = client.call(ApiKeys.OFFSET_FOR_LEADER_EPOCH, version, data);
        return answer.topics().iterator().next().partitions().get(0);
    }
}
