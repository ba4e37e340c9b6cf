package io.catchment.chaos.nodes;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of a share group on a thread of its own: works on what it gets for a moment, gives some of it back, acknowledges the rest, and
 * journals what it was told. It never ends by itself.
 */
final class ShareMember extends Thread {
    private static final Logger LOG = LoggerFactory.getLogger(ShareMember.class);
    private static final Duration POLL = Duration.ofMillis(300);
    private static final double RELEASED = 0.03;
    private static final int WORK_MS_MAX = 30;

    private final Map<String, Object> config;
    private final String topic;
    private final ShareJournal.Writer journal;
    private final SplittableRandom random;

    ShareMember(String bootstrap, String topic, String group, ShareJournal.Writer journal, long seed) {
        super("member-" + seed);
        this.config = Map.of(
                "bootstrap.servers",
                bootstrap,
                "group.id",
                group,
                "share.acknowledgement.mode",
                "explicit",
                "max.poll.records",
                20);
        this.topic = topic;
        this.journal = journal;
        this.random = new SplittableRandom(seed);
    }

    @Override
    public void run() {
        try (KafkaShareConsumer<String, String> consumer =
                new KafkaShareConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            while (!isInterrupted()) {
                try {
                    work(consumer);
                } catch (KafkaException e) {
                    LOG.info("{}: {}", getName(), e.toString());
                    Drill.sleep(200);
                }
            }
        }
    }

    private void work(KafkaShareConsumer<String, String> consumer) {
        long askedMs = System.currentTimeMillis();
        ConsumerRecords<String, String> records = consumer.poll(POLL);
        List<ShareJournal.Line> delivered = new ArrayList<>();
        List<ConsumerRecord<String, String>> accepted = new ArrayList<>();
        for (ConsumerRecord<String, String> record : records) {
            delivered.add(line(ShareJournal.Kind.DELIVERED, record, askedMs));
        }
        if (delivered.isEmpty()) {
            return;
        }
        journal.write(delivered);
        Drill.sleep(random.nextInt(WORK_MS_MAX));
        for (ConsumerRecord<String, String> record : records) {
            boolean release = random.nextDouble() < RELEASED;
            consumer.acknowledge(record, release ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
            if (!release) {
                accepted.add(record);
            }
        }
        long acceptedMs = System.currentTimeMillis();
        journal.write(accepted.stream()
                .map(record -> line(ShareJournal.Kind.ACCEPTED, record, acceptedMs))
                .toList());
        Map<TopicIdPartition, Optional<KafkaException>> outcomes = consumer.commitSync();
        long doneMs = System.currentTimeMillis();
        List<ShareJournal.Line> done = new ArrayList<>();
        for (ConsumerRecord<String, String> record : accepted) {
            if (isDone(outcomes, record)) {
                done.add(line(ShareJournal.Kind.DONE, record, doneMs));
            }
        }
        journal.write(done);
    }

    private static boolean isDone(
            Map<TopicIdPartition, Optional<KafkaException>> outcomes, ConsumerRecord<String, String> record) {
        return outcomes.entrySet().stream()
                .anyMatch(outcome -> outcome.getKey().topic().equals(record.topic())
                        && outcome.getKey().partition() == record.partition()
                        && outcome.getValue().isEmpty());
    }

    private static ShareJournal.Line line(ShareJournal.Kind kind, ConsumerRecord<String, String> record, long atMs) {
        return new ShareJournal.Line(
                kind,
                record.partition(),
                record.offset(),
                record.deliveryCount().orElseThrow(() -> new IllegalStateException("no delivery count in " + record)),
                atMs);
    }
}
