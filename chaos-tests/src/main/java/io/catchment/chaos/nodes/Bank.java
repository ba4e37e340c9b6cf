package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation.Kind;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bank on transactions under kill -9 of random nodes: every order that was taken is booked exactly once, whatever clerks, zombies and nodes do;
 * the ledger adds up to nothing whenever the clerks rest; no reader of committed records sees an entry that was aborted; and no transaction
 * is open for longer than its timeout. Where nodes have zones all that holds for a reader in each of them, too (KIP-392), and in each round one of them
 * reads the ledger from its beginning.
 */
final class Bank {
    private static final Logger LOG = LoggerFactory.getLogger(Bank.class);
    private static final int PARTITIONS = 6;
    private static final int ORDERS_A_SECOND = 40;
    private static final Duration DECIDED = Duration.ofSeconds(90);

    /**
     * @param downMs at most so long before a killed node is started again
     * @param zones in which there are readers beside the one that does not say where it is
     */
    record Plan(int rounds, int movers, int calmMs, int downMs, List<String> zones, long seed) {
        Plan {
            zones = List.copyOf(zones);
        }
    }

    /** What the topics are called, so that runs on one cluster do not meet. */
    record Names(String orders, String ledger, String group, int partitions, int accounts) {
        static Names of(long seed) {
            return new Names("orders-" + seed, "ledger-" + seed, "clerks-" + seed, PARTITIONS, 50);
        }
    }

    private final Cluster cluster;
    private final DoubleSupplier nearBytes;
    private final Plan plan;
    private final Verdict verdict;
    private final Names names;
    private final SplittableRandom random;
    private final Set<String> taken = ConcurrentHashMap.newKeySet();
    private volatile boolean ordering = true;

    /** @param nearBytes that nodes have given to readers in their zones for owners elsewhere, since they were started */
    Bank(Cluster cluster, DoubleSupplier nearBytes, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.nearBytes = nearBytes;
        this.plan = plan;
        this.verdict = verdict;
        this.names = Names.of(plan.seed());
        this.random = new SplittableRandom(plan.seed());
    }

    /** What was booked, as text. */
    String run() throws Exception {
        String bootstrap = cluster.bootstrap();
        Topics.create(bootstrap, names.orders(), PARTITIONS);
        Topics.create(bootstrap, names.ledger(), PARTITIONS);
        Thread orders = new Thread(() -> order(bootstrap), "orders");
        orders.setDaemon(true);
        orders.start();
        List<BankMover> movers = new ArrayList<>();
        for (int i = 0; i < plan.movers(); i++) {
            movers.add(new BankMover(bootstrap, names, "clerk-" + plan.seed() + "-" + i, plan.seed() + i));
        }
        movers.forEach(Thread::start);
        List<BankReader> readers = new ArrayList<>();
        for (String zone : plan.zones()) {
            readers.add(new BankReader(bootstrap, names, zone, verdict));
        }
        readers.forEach(Thread::start);
        try (var follower = new BankLedger(bootstrap, names, "follower", "", verdict)) {
            follow(follower, Duration.ofSeconds(5));
            for (int round = 0; round < plan.rounds() && verdict.clean(); round++) {
                round(round, follower);
            }
            ordering = false;
            orders.join();
            boolean decided = Await.within(DECIDED, () -> {
                follower.read();
                return follower.missing(taken).isEmpty() && follower.isBalanced();
            });
            for (BankMover mover : movers) {
                mover.end();
            }
            if (!decided) {
                verdict.violation(
                        Kind.LOST,
                        "orders not booked: %s, sum %d"
                                .formatted(
                                        follower.missing(taken).stream()
                                                .limit(10)
                                                .toList(),
                                        follower.sum()));
            }
            for (BankReader reader : readers) {
                finish(reader);
            }
            checkAfresh(bootstrap, "");
            double before = nearBytes.getAsDouble();
            plan.zones().forEach(zone -> checkAfresh(bootstrap, zone));
            double near = nearBytes.getAsDouble() - before;
            if (!plan.zones().isEmpty() && near <= 0) {
                verdict.violation(Kind.FAILED, "readers in zones " + plan.zones() + " were given nothing there");
            }
            checkNothingHangs(bootstrap);
            return "  %d orders taken, %d booked; %d transactions committed, %d aborted, %d zombies; auditors got %.0f kB in their zones%n"
                    .formatted(
                            taken.size(),
                            follower.orders(),
                            movers.stream().mapToLong(BankMover::committed).sum(),
                            movers.stream().mapToLong(BankMover::aborted).sum(),
                            movers.stream().mapToLong(BankMover::zombies).sum(),
                            near / 1e3);
        }
    }

    private void finish(BankReader reader) throws InterruptedException {
        reader.end();
        try (reader) {
            if (!Await.within(DECIDED, () -> reader.isComplete(taken))) {
                verdict.violation(
                        Kind.LOST,
                        "%s finds sum %d, and not booked: %s"
                                .formatted(
                                        reader.getName(),
                                        reader.ledger().sum(),
                                        reader.ledger().missing(taken).stream()
                                                .limit(10)
                                                .toList()));
            }
        }
    }

    private void round(int round, BankLedger follower) {
        int victim = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
        int calmMs = 500 + random.nextInt(plan.calmMs());
        int downMs = random.nextInt(plan.downMs());
        follow(follower, Duration.ofMillis(calmMs));
        LOG.info("round {}: kill -9 of node {}, started after {} ms", round, victim, downMs);
        cluster.kill(victim);
        follow(follower, Duration.ofMillis(downMs));
        cluster.start(victim);
        follow(follower, Duration.ofSeconds(2));
        if (!plan.zones().isEmpty()) {
            String zone = plan.zones().get(round % plan.zones().size());
            try (var ledger = new BankLedger(cluster.bootstrap(), names, "auditor in zone " + zone, zone, verdict)) {
                if (!ledger.readAll()) {
                    verdict.violation(Kind.LATE, "in zone " + zone + " the ledger could not be read in a minute");
                }
            }
        }
    }

    private static void follow(BankLedger follower, Duration time) {
        long deadline = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < deadline) {
            follower.read();
        }
    }

    private void order(String bootstrap) {
        try (var producer = new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", bootstrap),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = 0; ordering; i++) {
                String order = "order-" + i;
                var unused = producer.send(new ProducerRecord<>(names.orders(), "k" + i, order), (sent, failure) -> {
                    if (failure == null) {
                        taken.add(order);
                    }
                });
                Drill.sleep(1000 / ORDERS_A_SECOND);
            }
        }
    }

    /** From the beginning, wherever it lies by now. */
    private void checkAfresh(String bootstrap, String zone) {
        try (var ledger = new BankLedger(bootstrap, names, "auditor " + zone, zone, verdict)) {
            if (!ledger.readAll()) {
                verdict.violation(Kind.LATE, "the ledger could not be read to its end in a minute");
            } else if (!ledger.isBalanced() || !ledger.missing(taken).isEmpty()) {
                verdict.violation(
                        Kind.LOST,
                        "the auditor %s finds sum %d, and not booked: %s"
                                .formatted(
                                        zone,
                                        ledger.sum(),
                                        ledger.missing(taken).stream().limit(10).toList()));
            }
        }
    }

    private void checkNothingHangs(String bootstrap) throws InterruptedException {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            latest.put(new TopicPartition(names.ledger(), partition), OffsetSpec.latest());
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            boolean decided = Await.within(Duration.ofSeconds(40), Duration.ofMillis(500), () -> ends(
                            admin, latest, IsolationLevel.READ_COMMITTED)
                    .equals(ends(admin, latest, IsolationLevel.READ_UNCOMMITTED)));
            if (!decided) {
                verdict.violation(
                        Kind.LATE,
                        "transactions hang: last stable offsets %s, ends %s"
                                .formatted(
                                        ends(admin, latest, IsolationLevel.READ_COMMITTED),
                                        ends(admin, latest, IsolationLevel.READ_UNCOMMITTED)));
            }
        }
    }

    private static Map<TopicPartition, Long> ends(
            Admin admin, Map<TopicPartition, OffsetSpec> latest, IsolationLevel isolation) {
        Map<TopicPartition, Long> ends = new HashMap<>();
        try {
            admin.listOffsets(latest, new ListOffsetsOptions(isolation))
                    .all()
                    .get(60, TimeUnit.SECONDS)
                    .forEach((partition, found) -> ends.put(partition, found.offset()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | java.util.concurrent.TimeoutException e) {
            throw new IllegalStateException(e);
        }
        return ends;
    }
}
