package io.catchment.chaos.nodes;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * The ledger as one reader of committed records has it: no entry of an aborted transaction, none twice, and no order with one leg alone once
 * all is decided. Used by one thread.
 */
final class BankLedger implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(200);

    private final String reader;
    private final Verdict verdict;
    private final KafkaConsumer<String, String> consumer;
    private final List<TopicPartition> partitions = new ArrayList<>();
    private final Map<String, Integer> legs = new HashMap<>();
    private final Map<TopicPartition, Long> last = new HashMap<>();
    private long sum;

    /** @param rack the zone it reads in (KIP-392); empty: it does not say */
    BankLedger(String bootstrap, Bank.Names names, String reader, String rack, Verdict verdict) {
        this.reader = reader;
        this.verdict = verdict;
        this.consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrap,
                        "client.rack",
                        rack,
                        "isolation.level",
                        "read_committed",
                        "auto.offset.reset",
                        "earliest"),
                new StringDeserializer(),
                new StringDeserializer());
        for (int partition = 0; partition < names.partitions(); partition++) {
            partitions.add(new TopicPartition(names.ledger(), partition));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** Reads what there is for a moment. */
    void read() {
        for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
            enter(record);
        }
    }

    /** Reads up to the last stable offsets; false when that cannot be done now. */
    boolean readAll() {
        try {
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                read();
                if (System.nanoTime() > deadline) {
                    return false;
                }
            }
            return true;
        } catch (KafkaException e) {
            return false;
        }
    }

    private void enter(ConsumerRecord<String, String> record) {
        String at = "%s: %s-%d@%d %s"
                .formatted(reader, record.topic(), record.partition(), record.offset(), record.value());
        BankMover.Entry entry = BankMover.Entry.of(record.value());
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
        Long before = last.put(partition, record.offset());
        if (before != null && before >= record.offset()) {
            verdict.violation(Kind.OFFSETS, at + " after " + before);
        }
        if (entry.bad()) {
            verdict.violation(Kind.INVENTED, at + " is of a transaction that was aborted");
            return;
        }
        sum += entry.amount();
        if (legs.merge(entry.order(), 1, Integer::sum) > 2) {
            verdict.violation(Kind.DUPLICATED, at + " is the third leg of its order");
        }
    }

    long sum() {
        return sum;
    }

    int orders() {
        return legs.size();
    }

    boolean isBalanced() {
        return sum == 0 && legs.values().stream().allMatch(count -> count == 2);
    }

    /** Orders that were taken and are not in it with both legs. */
    Set<String> missing(Set<String> orders) {
        Set<String> missing = new TreeSet<>();
        for (String order : orders) {
            if (legs.getOrDefault(order, 0) != 2) {
                missing.add(order);
            }
        }
        return missing;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
