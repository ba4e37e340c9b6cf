package io.catchment.broker.transaction;

import io.catchment.broker.partition.TransactionVerifier;
import io.catchment.broker.peer.PeerRequests;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransactionCollection;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.AddPartitionsToTxnRequest;
import org.apache.kafka.common.requests.AddPartitionsToTxnResponse;
import org.jspecify.annotations.Nullable;

/**
 * Asks the coordinators, this node's too, by AddPartitionsToTxn (KIP-890). Of one transaction one question is under way at a time; what is
 * asked meanwhile goes together in the next one. Thread-safe: the map is guarded by its own lock, which is never held while calling out.
 *
 * <p>What may pass (no coordinator, no answer, the transaction before is not quite over) is asked again for a moment; then the client is told
 * NOT_ENOUGH_REPLICAS, which clients of all versions try again.
 */
public final class PeerVerifier implements TransactionVerifier {
    private static final long RETRY_MS = 20;
    private static final int ATTEMPTS_MAX = 10;

    private final TransactionTopic topic;
    private final PeerRequests peers;
    private final String listener;
    private final Map<Key, Map<TopicPartition, Question>> waiting = new HashMap<>();

    private record Key(Use use, long producerId, short producerEpoch) {}

    private record Question(TopicPartition partition, CompletableFuture<Errors> answer) {}

    /** @param listener by which nodes reach each other */
    public PeerVerifier(TransactionTopic topic, PeerRequests peers, String listener) {
        this.topic = topic;
        this.peers = peers;
        this.listener = listener;
    }

    @Override
    public CompletionStage<Errors> verify(Use use, long producerId, short producerEpoch, TopicPartition partition) {
        Key key = new Key(use, producerId, producerEpoch);
        Question question;
        boolean first;
        synchronized (this) {
            Map<TopicPartition, Question> next = waiting.get(key);
            first = next == null;
            if (next == null) {
                waiting.put(key, new HashMap<>());
                question = new Question(partition, new CompletableFuture<>());
            } else {
                question = next.computeIfAbsent(partition, asked -> new Question(asked, new CompletableFuture<>()));
            }
        }
        if (first) {
            ask(key, List.of(question), 1);
        }
        return question.answer();
    }

    private void ask(Key key, List<Question> questions, int attempt) {
        Optional<Node> coordinator = topic.coordinatorOf(key.use().transactionalId(), listener);
        if (coordinator.isEmpty()) {
            conclude(key, questions, attempt, Map.of(), Errors.COORDINATOR_NOT_AVAILABLE);
            return;
        }
        var unused = peers.send(coordinator.get(), AddPartitionsToTxnRequest.Builder.forBroker(request(key, questions)))
                .whenComplete((response, failure) -> conclude(
                        key,
                        questions,
                        attempt,
                        response == null ? Map.of() : errors(key, response),
                        Errors.NETWORK_EXCEPTION));
    }

    private static AddPartitionsToTxnTransactionCollection request(Key key, List<Question> questions) {
        AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
        for (Question question : questions) {
            AddPartitionsToTxnTopic known = topics.find(question.partition().topic());
            if (known == null) {
                known = new AddPartitionsToTxnTopic()
                        .setName(question.partition().topic())
                        .setPartitions(new ArrayList<>());
                topics.add(known);
            }
            known.partitions().add(question.partition().partition());
        }
        AddPartitionsToTxnTransactionCollection transactions = new AddPartitionsToTxnTransactionCollection();
        transactions.add(new AddPartitionsToTxnTransaction()
                .setTransactionalId(key.use().transactionalId())
                .setProducerId(key.producerId())
                .setProducerEpoch(key.producerEpoch())
                .setVerifyOnly(!key.use().epochRises())
                .setTopics(topics));
        return transactions;
    }

    private static Map<TopicPartition, Errors> errors(Key key, AbstractResponse response) {
        AddPartitionsToTxnResponse answer = (AddPartitionsToTxnResponse) response;
        Errors top = Errors.forCode(answer.data().errorCode());
        Map<TopicPartition, Errors> errors =
                answer.errors().getOrDefault(key.use().transactionalId(), Map.of());
        if (top == Errors.NONE) {
            return errors;
        }
        Map<TopicPartition, Errors> all = new HashMap<>();
        errors.keySet().forEach(partition -> all.put(partition, top));
        return all;
    }

    private void conclude(
            Key key, List<Question> questions, int attempt, Map<TopicPartition, Errors> errors, Errors otherwise) {
        List<Question> again = new ArrayList<>();
        List<Question> answered = new ArrayList<>();
        for (Question question : questions) {
            Errors error = errors.getOrDefault(question.partition(), otherwise);
            (mayPass(error) && attempt < ATTEMPTS_MAX ? again : answered).add(question);
        }
        answered.forEach(question ->
                question.answer().complete(forClient(key.use(), errors.getOrDefault(question.partition(), otherwise))));
        if (!again.isEmpty()) {
            CompletableFuture.delayedExecutor(RETRY_MS, TimeUnit.MILLISECONDS)
                    .execute(() -> ask(key, again, attempt + 1));
            return;
        }
        @Nullable Map<TopicPartition, Question> next;
        synchronized (this) {
            next = waiting.remove(key);
            if (next != null && !next.isEmpty()) {
                waiting.put(key, new HashMap<>());
            }
        }
        if (next != null && !next.isEmpty()) {
            ask(key, List.copyOf(next.values()), 1);
        }
    }

    private static boolean mayPass(Errors error) {
        return switch (error) {
            case CONCURRENT_TRANSACTIONS,
                    NETWORK_EXCEPTION,
                    COORDINATOR_LOAD_IN_PROGRESS,
                    COORDINATOR_NOT_AVAILABLE,
                    NOT_COORDINATOR -> true;
            default -> false;
        };
    }

    private static Errors forClient(Use use, Errors error) {
        if (mayPass(error)) {
            return Errors.NOT_ENOUGH_REPLICAS;
        }
        return switch (error) {
            case PRODUCER_FENCED -> Errors.INVALID_PRODUCER_EPOCH;
            case TRANSACTION_ABORTABLE ->
                use.ability() == Ability.OLD ? Errors.INVALID_TXN_STATE : Errors.TRANSACTION_ABORTABLE;
            default -> error;
        };
    }
}
