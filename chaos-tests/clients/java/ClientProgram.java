import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The conversation in Java, for kafka-clients from 2.8 to 4.4. See ../README.md. */
public final class ClientProgram {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    private ClientProgram() {}

    public static void main(String[] arguments) throws Exception {
        List<String> rest = List.of(arguments).subList(1, arguments.length);
        switch (arguments[0]) {
            case "produce" -> produce(rest.get(0), rest.get(1), rest.get(2), rest.subList(3, rest.size()));
            case "read" -> read(rest.get(0), rest.get(1), rest.subList(2, rest.size()));
            case "member" -> member(rest.get(0), rest.get(1), rest.get(2), rest.subList(3, rest.size()));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        OUT.flush();
    }

    private static void produce(String bootstrap, String codec, String transactionalId, List<String> more)
            throws Exception {
        Properties config = config(bootstrap, more);
        config.put("compression.type", codec);
        config.put("max.request.size", 4_000_000);
        config.put("linger.ms", 20);
        config.put("max.in.flight.requests.per.connection", 1);
        if (!transactionalId.equals("-")) {
            config.put("transactional.id", transactionalId);
        }
        List<CompletableFuture<String>> answers = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
                BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            if (!transactionalId.equals("-")) {
                producer.initTransactions();
            }
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                switch (line) {
                    case "begin" -> producer.beginTransaction();
                    case "commit" -> producer.commitTransaction();
                    case "abort" -> {
                        producer.flush(); // or it would drop what it has not sent yet
                        producer.abortTransaction();
                    }
                    default -> answers.add(send(producer, line.split(" ")));
                }
            }
            producer.flush();
        }
        for (CompletableFuture<String> answer : answers) {
            OUT.println(answer.get());
        }
    }

    private static CompletableFuture<String> send(KafkaProducer<byte[], byte[]> producer, String[] fields) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                fields[0], Integer.valueOf(fields[1]), Long.valueOf(fields[2]), bytes(fields[3]), bytes(fields[4]));
        if (!fields[5].equals("-")) {
            for (String header : fields[5].split(",")) {
                String[] parts = header.split("=");
                record.headers().add(parts[0], bytes(parts[1]));
            }
        }
        CompletableFuture<String> answer = new CompletableFuture<>();
        producer.send(
                record,
                (metadata, failure) -> answer.complete(
                        failure == null
                                ? "ok " + metadata.partition() + " " + metadata.offset()
                                : "error " + Errors.forException(failure).code()));
        return answer;
    }

    private static void read(String bootstrap, String isolation, List<String> topics) {
        Properties config = config(bootstrap, List.of());
        config.put("isolation.level", isolation);
        config.put("enable.auto.commit", false);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            topics.forEach(topic -> consumer.partitionsFor(topic)
                    .forEach(info -> partitions.add(new TopicPartition(topic, info.partition()))));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            int open = partitions.size();
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (open > 0) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("not at the end in time");
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    if (record.value() != null && new String(record.value(), StandardCharsets.UTF_8).equals("END")) {
                        open--;
                    } else {
                        OUT.println(line(record));
                    }
                }
            }
        }
    }

    private static String line(ConsumerRecord<byte[], byte[]> record) {
        List<String> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            headers.add(header.key() + "=" + text(header.value()));
        }
        return String.join(
                " ",
                record.topic(),
                String.valueOf(record.partition()),
                String.valueOf(record.offset()),
                String.valueOf(record.timestamp()),
                text(record.key()),
                text(record.value()),
                headers.isEmpty() ? "-" : String.join(",", headers));
    }

    private static void member(String bootstrap, String group, String topic, List<String> more) {
        Properties config = config(bootstrap, more);
        config.put("group.id", group);
        config.put("enable.auto.commit", false);
        config.put("auto.offset.reset", "earliest");
        Thread end = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
            } catch (java.io.IOException e) {
                // it has ended
            }
        });
        end.setDaemon(true);
        end.start();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            Set<Integer> before = Set.of();
            while (end.isAlive()) {
                var records = consumer.poll(Duration.ofMillis(100));
                Set<Integer> now = new TreeSet<>();
                consumer.assignment().forEach(partition -> now.add(partition.partition()));
                if (!now.equals(before)) {
                    OUT.println("assigned " + String.join(",", now.stream().map(String::valueOf).toList()));
                    before = now;
                }
                records.forEach(record -> OUT.println("got " + record.partition() + " " + record.offset()));
                OUT.flush();
                if (!records.isEmpty()) {
                    try {
                        consumer.commitSync();
                    } catch (CommitFailedException | RebalanceInProgressException e) {
                        System.err.println("somebody else gets these again: " + e);
                    }
                }
            }
        }
    }

    private static Properties config(String bootstrap, List<String> more) {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        more.forEach(one -> config.put(one.substring(0, one.indexOf('=')), one.substring(one.indexOf('=') + 1)));
        return config;
    }

    private static byte[] bytes(String text) {
        return text.equals("-") ? null : HexFormat.of().parseHex(text.substring(1));
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "-" : "." + HexFormat.of().formatHex(bytes);
    }
}
