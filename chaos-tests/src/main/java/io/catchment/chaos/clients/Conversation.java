package io.catchment.chaos.clients;

import io.catchment.chaos.clients.StockClient.Answer;
import io.catchment.chaos.clients.StockClient.Ending;
import io.catchment.chaos.clients.StockClient.Portion;
import io.catchment.chaos.clients.StockClient.Read;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every client writes with every codec it has, and in transactions that end either way; then every client reads what all wrote and must find
 * it as it was written, to the byte. Owned by the thread that runs the scenario.
 */
final class Conversation {
    /** In the order of the report. */
    static final Set<String> CODECS =
            Collections.unmodifiableSet(new LinkedHashSet<>(List.of("none", "gzip", "snappy", "lz4", "zstd")));

    private static final Logger LOG = LoggerFactory.getLogger(Conversation.class);
    private static final int PARTITIONS = 3;

    private final String bootstrap;
    private final List<StockClient> clients;
    private final long seed;
    private final Verdict verdict;
    private final FeatureTable table;
    private final Map<String, Written> topics = new LinkedHashMap<>();

    /**
     * What is in a topic.
     *
     * @param times whether the writer gave each record its time
     */
    private record Written(StockClient writer, String codec, List<Line> lines, List<Line> committed, boolean times) {}

    Conversation(String bootstrap, List<StockClient> clients, long seed, Verdict verdict, FeatureTable table) {
        this.bootstrap = bootstrap;
        this.clients = clients;
        this.seed = seed;
        this.verdict = verdict;
        this.table = table;
    }

    void run(int records) throws IOException, InterruptedException, ExecutionException {
        for (StockClient client : clients) {
            for (String codec : CODECS) {
                if (client.codecs().contains(codec)) {
                    write(client, codec, records);
                }
            }
            writeInTransactions(client);
            if (client.writesAnything()) {
                writeTooLarge(client);
            }
        }
        endAll();
        for (StockClient reader : clients) {
            readAll(reader);
        }
    }

    private List<Line> sample(StockClient client, Sample sample, int records) {
        return client.writesAnything() ? sample.varied(records) : sample.plain(records);
    }

    private void write(StockClient client, String codec, int records) throws IOException, InterruptedException {
        String topic = "w-" + client.name() + "-" + codec;
        Topics.create(bootstrap, topic, PARTITIONS);
        List<Line> lines = sample(client, new Sample(seed + topic.hashCode(), PARTITIONS), records);
        LOG.info("{} writes {} records, {}", client.name(), lines.size(), codec);
        long before = verdict.count();
        checkAnswers(topic, lines, client.produce(bootstrap, topic, codec, List.of(new Portion(lines, Ending.NONE))));
        topics.put(topic, new Written(client, codec, lines, lines, client.writesAnything()));
        table.put(client.name(), "writes " + codec, verdict.count() == before ? "ok" : "FAILED");
    }

    private void writeInTransactions(StockClient client) throws IOException, InterruptedException {
        String topic = "t-" + client.name();
        Topics.create(bootstrap, topic, PARTITIONS);
        boolean aborts = client.writesAnything();
        // kcat has a process, so a transaction, for each partition
        var sample = new Sample(seed + topic.hashCode(), aborts ? PARTITIONS : 1);
        List<Portion> portions = new ArrayList<>();
        for (Ending ending : List.of(Ending.ABORT, Ending.COMMIT, Ending.ABORT, Ending.COMMIT, Ending.ABORT)) {
            if (aborts || ending == Ending.COMMIT) {
                portions.add(new Portion(sample.plain(12), ending));
            }
        }
        LOG.info("{} writes {} transactions", client.name(), portions.size());
        long before = verdict.count();
        List<Line> all = linesOf(portions, false);
        checkAnswers(topic, all, client.produce(bootstrap, topic, "none", portions));
        topics.put(topic, new Written(client, "none", all, linesOf(portions, true), false));
        table.put(
                client.name(),
                "transactions",
                verdict.count() > before ? "FAILED" : aborts ? "commit, abort" : "commit");
    }

    private static List<Line> linesOf(List<Portion> portions, boolean committedOnly) {
        return portions.stream()
                .filter(portion -> !committedOnly || portion.ending() == Ending.COMMIT)
                .flatMap(portion -> portion.lines().stream())
                .toList();
    }

    private void writeTooLarge(StockClient client) throws IOException, InterruptedException {
        String topic = "l-" + client.name();
        Topics.create(bootstrap, topic, PARTITIONS);
        var sample = new Sample(seed + topic.hashCode(), PARTITIONS);
        List<Answer> answers =
                client.produce(bootstrap, topic, "none", List.of(new Portion(List.of(sample.tooLarge()), Ending.NONE)));
        int error = answers.get(0).error();
        if (error != Errors.MESSAGE_TOO_LARGE.code()) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "%s: a record of 1.1 MB was answered with %s"
                            .formatted(client.name(), error == 0 ? "an offset" : error));
        }
        table.put(
                client.name(),
                "1.1 MB",
                error == 0 ? "taken" : Errors.forCode((short) error).name());
    }

    /** Each record has the next offset of its partition, but for the markers of transactions. */
    private void checkAnswers(String topic, List<Line> lines, List<Answer> answers) {
        if (answers.isEmpty()) {
            return;
        }
        if (answers.size() != lines.size()) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "%s: %d answers to %d records".formatted(topic, answers.size(), lines.size()));
            return;
        }
        Map<Integer, Long> last = new TreeMap<>();
        for (int i = 0; i < lines.size(); i++) {
            Answer answer = answers.get(i);
            if (answer.error() != 0) {
                verdict.violation(Violation.Kind.FAILED, "%s: record %d: error %d".formatted(topic, i, answer.error()));
                continue;
            }
            Long before = last.put(lines.get(i).partition(), answer.offset());
            if (before != null && answer.offset() <= before) {
                verdict.violation(
                        Violation.Kind.OFFSETS,
                        "%s: record %d got %d after %d".formatted(topic, i, answer.offset(), before));
            }
        }
    }

    /** A last record in each partition, by which readers know that they have all. */
    private void endAll() throws InterruptedException, ExecutionException {
        Map<String, Object> config =
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap, ProducerConfig.CLIENT_ID_CONFIG, "end");
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String topic : topics.keySet()) {
                for (int partition = 0; partition < PARTITIONS; partition++) {
                    producer.send(new ProducerRecord<>(
                                    topic, partition, null, "END".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                            .get();
                }
            }
        }
    }

    private void readAll(StockClient reader) throws IOException, InterruptedException {
        List<String> names = topics.keySet().stream()
                .filter(topic -> reader.codecs().contains(of(topic).codec))
                .toList();
        LOG.info("{} reads {} topics, all records and committed ones", reader.name(), names.size());
        long before = verdict.count();
        Map<String, List<Read>> uncommitted = reader.read(bootstrap, false, names);
        Map<String, List<Read>> committed = reader.read(bootstrap, true, names);
        long records = 0;
        for (String topic : names) {
            Written written = of(topic);
            records += compare(reader, topic + " (all)", written.lines, uncommitted.get(topic), written.times);
            records += compare(reader, topic + " (committed)", written.committed, committed.get(topic), written.times);
        }
        table.put(
                reader.name(),
                "reads, of " + clients.size() + " clients",
                verdict.count() > before
                        ? "FAILED"
                        : "%d of %d topics, %d records".formatted(names.size(), topics.size(), records));
    }

    private Written of(String topic) {
        Written written = topics.get(topic);
        if (written == null) {
            throw new IllegalArgumentException(topic);
        }
        return written;
    }

    private int compare(
            StockClient reader,
            String what,
            List<Line> expected,
            @org.jspecify.annotations.Nullable List<Read> found,
            boolean times) {
        Map<Integer, List<String>> wanted = new TreeMap<>();
        expected.forEach(line -> wanted.computeIfAbsent(line.partition(), any -> new ArrayList<>())
                .add(reader.shown(line).content(times)));
        Map<Integer, List<String>> got = new TreeMap<>();
        Map<Integer, Long> last = new TreeMap<>();
        for (Read read : found == null ? List.<Read>of() : found) {
            got.computeIfAbsent(read.line().partition(), any -> new ArrayList<>())
                    .add(read.line().content(times));
            Long before = last.put(read.line().partition(), read.offset());
            if (before != null && read.offset() <= before) {
                verdict.violation(
                        Violation.Kind.OFFSETS,
                        "%s reads %s: %d after %d".formatted(reader.name(), what, read.offset(), before));
            }
        }
        for (int partition = 0; partition < PARTITIONS; partition++) {
            List<String> left = wanted.getOrDefault(partition, List.of());
            List<String> right = got.getOrDefault(partition, List.of());
            if (!left.equals(right)) {
                verdict.violation(
                        left.size() > right.size() ? Violation.Kind.LOST : Violation.Kind.CORRUPTED,
                        "%s reads %s, partition %d: %s"
                                .formatted(reader.name(), what, partition, difference(left, right)));
            }
        }
        return expected.size();
    }

    private static String difference(List<String> left, List<String> right) {
        int at = 0;
        while (at < Math.min(left.size(), right.size()) && left.get(at).equals(right.get(at))) {
            at++;
        }
        return "%d written, %d read; number %d was %s and is %s"
                .formatted(
                        left.size(),
                        right.size(),
                        at,
                        at < left.size() ? Line.brief(left.get(at)) : "none",
                        at < right.size() ? Line.brief(right.get(at)) : "none");
    }
}
