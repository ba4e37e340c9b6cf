package io.catchment.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.DirectoryObjectStore;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** O4 with real processes: one byte of a stored object differs, and a stock consumer reads with nothing cached. */
class FlippedByteTest {
    private static final String TOPIC = "flipped";
    private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    private static final int RECORDS = 10_000;

    @TempDir
    private Path folder;

    private record Seen(long records, String error) {}

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void aFlippedByteIsNeverServedAndAfterTheRepairReadingGoesOn() throws Exception {
        var verdict = new Verdict();
        var acks = new AckLog();
        Path objects = folder.resolve("objects");
        try (var store = DirectoryObjectStore.create(objects);
                var server = CatchmentServer.up(folder.resolve("server"), store.uri(), Map.of())) {
            Topics.create(server.bootstrap(), TOPIC, 1);
            try (var producer = new StampedProducer(server.bootstrap(), TOPIC, 1, 1000, 0, 1, acks, verdict)) {
                producer.send(RECORDS);
            }
            FlushProgress.awaitAllFlushed(server.cluster(), Duration.ofMinutes(1));
            server.stop();
            FileTree.delete(server.walDirectory());
            Path object = largest(objects);
            long at = Files.size(object) / 2;
            flip(object, at);
            server.start();

            Seen broken = read(server.bootstrap(), Duration.ofSeconds(20));
            assertThat(broken.records()).as("what lies before it is served").isLessThan(RECORDS);
            assertThat(broken.error()).as("the client hears of it").isNotEmpty();
            assertThat(server.metrics().sum("catchment_block_corrupt_total")).isPositive();
            String name = object.getParent().getFileName() + "/" + object.getFileName();
            String log = Files.readString(server.cluster().logFile(1));
            assertThat(log.lines().filter(line -> line.contains("ERROR") && line.contains(name)))
                    .as("a person is told which object")
                    .isNotEmpty();

            flip(object, at);
            var checker = new HistoryChecker(acks, Map.of(0, (long) RECORDS), verdict);
            LogReader.readAll(server.bootstrap(), TOPIC, checker);
            assertThat(checker.readCount()).isEqualTo(RECORDS);
        }
        assertThat(verdict.describe()).isEqualTo("clean");
    }

    /** From the beginning, until it fails or nothing new came for a while; every record that comes is a whole one (checked by the client). */
    private static Seen read(String bootstrap, Duration patience) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        long records = 0;
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(java.util.List.of(PARTITION));
            consumer.seekToBeginning(java.util.List.of(PARTITION));
            long last = System.nanoTime();
            while (System.nanoTime() - last < patience.toNanos()) {
                int some = consumer.poll(Duration.ofMillis(200)).count();
                records += some;
                last = some > 0 ? System.nanoTime() : last;
            }
            return new Seen(records, "");
        } catch (KafkaException e) {
            return new Seen(records, e.toString());
        }
    }

    private static Path largest(Path objects) throws IOException {
        Path largest = null;
        try (Stream<Path> all = Files.walk(objects)) {
            for (Path path : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
                if (largest == null || Files.size(path) > Files.size(largest)) {
                    largest = path;
                }
            }
        }
        if (largest == null) {
            throw new IllegalStateException("no object in " + objects);
        }
        return largest;
    }

    private static void flip(Path file, long position) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, position);
            one.flip();
            channel.write(ByteBuffer.wrap(new byte[] {(byte) (one.get(0) ^ 0x10)}), position);
        }
    }
}
