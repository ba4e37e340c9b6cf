package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransactionCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnTopicResultCollection;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarkerTopic;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Transactions. Each exchange has a transactional id of its own. */
final class TransactionExchanges {
    private static final long DEADLINE_S = 30;
    private static final String NOBODY = "no-such-transaction";
    private static final short BATCHED = 4;

    /** Of the topic "nowhere". */
    private static final Uuid NO_ID = Uuid.fromString("AAAAAAAAAAAAAAAAAAAAbg");

    private final String topic;
    private final Uuid topicId;
    private final AtomicInteger ids = new AtomicInteger();

    TransactionExchanges(String topic, Uuid topicId) {
        this.topic = topic;
        this.topicId = topicId;
    }

    private record Producer(String transactionalId, long id, short epoch) {
        static final Producer UNKNOWN = new Producer(NOBODY, 77_000, (short) 0);
    }

    List<Exchange> all() {
        return List.of(
                Exchange.of(ApiKeys.ADD_PARTITIONS_TO_TXN, Errors.NONE, (client, version) -> assertThat(
                                addPartition(client, version, producer(client), topic))
                        .isEqualTo(Errors.NONE)),
                Exchange.of(
                        ApiKeys.ADD_PARTITIONS_TO_TXN,
                        Errors.UNKNOWN_TOPIC_OR_PARTITION,
                        (client, version) -> assertThat(addPartition(client, version, producer(client), "nowhere"))
                                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION)),
                Exchange.of(ApiKeys.ADD_OFFSETS_TO_TXN, Errors.NONE, (client, version) -> assertThat(
                                addOffsets(client, version, producer(client), "offsets-" + version))
                        .isEqualTo(Errors.NONE)),
                Exchange.of(
                        ApiKeys.ADD_OFFSETS_TO_TXN, Errors.INVALID_PRODUCER_ID_MAPPING, (client, version) -> assertThat(
                                        addOffsets(client, version, Producer.UNKNOWN, "g"))
                                .isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING)),
                Exchange.of(ApiKeys.TXN_OFFSET_COMMIT, Errors.NONE, (client, version) -> {
                    Producer producer = producer(client);
                    String group = "committed-" + ids.incrementAndGet();
                    assertThat(addOffsets(client, (short) 3, producer, group)).isEqualTo(Errors.NONE);
                    assertThat(commit(client, version, producer, group, topic, topicId))
                            .isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.TXN_OFFSET_COMMIT, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    Producer producer = producer(client);
                    assertThat(commit(client, version, producer, "g-" + ids.incrementAndGet(), "nowhere", NO_ID))
                            .isEqualTo(version >= 6 ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.END_TXN, Errors.NONE, (client, version) -> {
                    Producer producer = producer(client);
                    assertThat(addPartition(client, (short) 3, producer, topic)).isEqualTo(Errors.NONE);
                    assertThat(end(client, version, producer)).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.END_TXN, Errors.INVALID_PRODUCER_ID_MAPPING, (client, version) -> assertThat(
                                end(client, version, Producer.UNKNOWN))
                        .isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING)),
                Exchange.of(ApiKeys.WRITE_TXN_MARKERS, Errors.NONE, (client, version) -> assertThat(
                                mark(client, version, producer(client), topic))
                        .isEqualTo(Errors.NONE)),
                Exchange.of(ApiKeys.WRITE_TXN_MARKERS, Errors.NOT_LEADER_OR_FOLLOWER, (client, version) -> assertThat(
                                mark(client, version, producer(client), "nowhere"))
                        .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER)),
                Exchange.of(ApiKeys.DESCRIBE_TRANSACTIONS, Errors.NONE, (client, version) -> assertThat(
                                describe(client, version, producer(client).transactionalId()))
                        .isEqualTo(Errors.NONE)),
                Exchange.of(
                        ApiKeys.DESCRIBE_TRANSACTIONS,
                        Errors.TRANSACTIONAL_ID_NOT_FOUND,
                        (client, version) -> assertThat(describe(client, version, NOBODY))
                                .isEqualTo(Errors.TRANSACTIONAL_ID_NOT_FOUND)),
                Exchange.of(ApiKeys.LIST_TRANSACTIONS, Errors.NONE, (client, version) -> {
                    String transactionalId = producer(client).transactionalId();
                    ListTransactionsResponseData answer =
                            client.call(ApiKeys.LIST_TRANSACTIONS, version, new ListTransactionsRequestData());
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(answer.transactionStates())
                            .anyMatch(each -> each.transactionalId().equals(transactionalId));
                }),
                new Exchange(ApiKeys.LIST_TRANSACTIONS, Errors.INVALID_REGULAR_EXPRESSION, 2, (client, version) -> {
                    ListTransactionsResponseData answer = client.call(
                            ApiKeys.LIST_TRANSACTIONS,
                            version,
                            new ListTransactionsRequestData().setTransactionalIdPattern("("));
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.INVALID_REGULAR_EXPRESSION);
                }),
                Exchange.of(ApiKeys.DESCRIBE_PRODUCERS, Errors.NONE, (client, version) -> assertThat(
                                producers(client, version, topic))
                        .isEqualTo(Errors.NONE)),
                Exchange.of(
                        ApiKeys.DESCRIBE_PRODUCERS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> assertThat(
                                        producers(client, version, "nowhere"))
                                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION)));
    }

    /** The first question creates the topic of transactions; its partitions are loaded one by one. */
    private Producer producer(RawClient client) throws Exception {
        String transactionalId = "exchange-" + ids.incrementAndGet();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (true) {
            client.call(
                    ApiKeys.FIND_COORDINATOR,
                    (short) 4,
                    new FindCoordinatorRequestData().setKeyType((byte) 1).setCoordinatorKeys(List.of(transactionalId)));
            InitProducerIdResponseData answer = client.call(
                    ApiKeys.INIT_PRODUCER_ID,
                    (short) 4,
                    new InitProducerIdRequestData()
                            .setTransactionalId(transactionalId)
                            .setTransactionTimeoutMs(60_000));
            if (answer.errorCode() == 0) {
                return new Producer(transactionalId, answer.producerId(), answer.producerEpoch());
            }
            assertThat(System.nanoTime())
                    .as("waiting for the coordinator: %s", Errors.forCode(answer.errorCode()))
                    .isLessThan(deadline);
            Thread.sleep(20); // between two questions
        }
    }

    private static Errors addPartition(RawClient client, short version, Producer producer, String topic)
            throws IOException {
        AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
        topics.add(new AddPartitionsToTxnTopic().setName(topic).setPartitions(List.of(0)));
        AddPartitionsToTxnRequestData data = new AddPartitionsToTxnRequestData();
        if (version < BATCHED) {
            data.setV3AndBelowTransactionalId(producer.transactionalId())
                    .setV3AndBelowProducerId(producer.id())
                    .setV3AndBelowProducerEpoch(producer.epoch())
                    .setV3AndBelowTopics(topics);
        } else {
            AddPartitionsToTxnTransactionCollection transactions = new AddPartitionsToTxnTransactionCollection();
            transactions.add(new AddPartitionsToTxnTransaction()
                    .setTransactionalId(producer.transactionalId())
                    .setProducerId(producer.id())
                    .setProducerEpoch(producer.epoch())
                    .setTopics(topics));
            data.setTransactions(transactions);
        }
        AddPartitionsToTxnResponseData answer = client.call(ApiKeys.ADD_PARTITIONS_TO_TXN, version, data);
        AddPartitionsToTxnTopicResultCollection results = version < BATCHED
                ? answer.resultsByTopicV3AndBelow()
                : answer.resultsByTransaction().find(producer.transactionalId()).topicResults();
        return Errors.forCode(results.find(topic).resultsByPartition().find(0).partitionErrorCode());
    }

    private static Errors addOffsets(RawClient client, short version, Producer producer, String group)
            throws IOException {
        AddOffsetsToTxnResponseData answer = client.call(
                ApiKeys.ADD_OFFSETS_TO_TXN,
                version,
                new AddOffsetsToTxnRequestData()
                        .setTransactionalId(producer.transactionalId())
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setGroupId(group));
        return Errors.forCode(answer.errorCode());
    }

    private static Errors commit(
            RawClient client, short version, Producer producer, String group, String topic, Uuid topicId)
            throws IOException {
        TxnOffsetCommitResponseData answer = client.call(
                ApiKeys.TXN_OFFSET_COMMIT,
                version,
                new TxnOffsetCommitRequestData()
                        .setTransactionalId(producer.transactionalId())
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setGroupId(group)
                        .setTopics(List.of(new TxnOffsetCommitRequestTopic()
                                .setName(topic)
                                .setTopicId(topicId)
                                .setPartitions(List.of(new TxnOffsetCommitRequestPartition()
                                        .setPartitionIndex(0)
                                        .setCommittedOffset(1)
                                        .setCommittedMetadata(""))))));
        return Errors.forCode(answer.topics().get(0).partitions().get(0).errorCode());
    }

    private static Errors end(RawClient client, short version, Producer producer) throws IOException {
        EndTxnResponseData answer = client.call(
                ApiKeys.END_TXN,
                version,
                new EndTxnRequestData()
                        .setTransactionalId(producer.transactionalId())
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setCommitted(true));
        return Errors.forCode(answer.errorCode());
    }

    private static Errors mark(RawClient client, short version, Producer producer, String topic) throws IOException {
        WriteTxnMarkersResponseData answer = client.call(
                ApiKeys.WRITE_TXN_MARKERS,
                version,
                new WriteTxnMarkersRequestData()
                        .setMarkers(List.of(new WritableTxnMarker()
                                .setProducerId(producer.id())
                                .setProducerEpoch(producer.epoch())
                                .setTransactionResult(false)
                                .setTopics(List.of(new WritableTxnMarkerTopic()
                                        .setName(topic)
                                        .setPartitionIndexes(List.of(0)))))));
        return Errors.forCode(
                answer.markers().get(0).topics().get(0).partitions().get(0).errorCode());
    }

    private static Errors describe(RawClient client, short version, String transactionalId) throws IOException {
        DescribeTransactionsResponseData answer = client.call(
                ApiKeys.DESCRIBE_TRANSACTIONS,
                version,
                new DescribeTransactionsRequestData().setTransactionalIds(List.of(transactionalId)));
        return Errors.forCode(answer.transactionStates().get(0).errorCode());
    }

    private static Errors producers(RawClient client, short version, String topic) throws IOException {
        DescribeProducersRequestData data = new DescribeProducersRequestData();
        data.topics().add(new TopicRequest().setName(topic).setPartitionIndexes(List.of(0)));
        DescribeProducersResponseData answer = client.call(ApiKeys.DESCRIBE_PRODUCERS, version, data);
        return Errors.forCode(answer.topics().get(0).partitions().get(0).errorCode());
    }
}
