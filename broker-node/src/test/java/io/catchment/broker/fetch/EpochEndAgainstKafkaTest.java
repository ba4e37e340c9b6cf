package io.catchment.broker.fetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.partition.PartitionView.EpochStart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.checkpoint.LeaderEpochCheckpointFile;
import org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Histories of owners, with and without records, in Kafka's own epoch cache and in ours: every question has the same answer. */
class EpochEndAgainstKafkaTest {
    private static final int HISTORIES = Integer.getInteger("histories", 200);
    private static final long SEED = Long.getLong("seed", 20_260_301L);

    @TempDir
    Path directory;

    @Test
    void epochsEndWhereKafkaSaysTheyEnd() throws Exception {
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        try {
            for (int i = 0; i < HISTORIES; i++) {
                compare(SEED + i, scheduler);
            }
        } finally {
            scheduler.shutdown();
        }
    }

    private void compare(long seed, KafkaScheduler scheduler) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        LeaderEpochFileCache kafka = new LeaderEpochFileCache(
                new TopicPartition("t", 0),
                new LeaderEpochCheckpointFile(
                        directory.resolve("epochs-" + seed).toFile(), new LogDirFailureChannel(1)),
                scheduler);
        List<EpochStart> starts = new ArrayList<>();
        int epoch = random.nextInt(3);
        long end = random.nextInt(3);
        for (int owner = random.nextInt(1, 8); owner > 0; owner--) {
            starts.add(new EpochStart(epoch, end));
            kafka.assign(epoch, end);
            // some owners write nothing, some epochs pass without an owner that opens the partition
            end += random.nextBoolean() ? random.nextInt(1, 20) : 0;
            epoch += random.nextInt(1, 4);
        }
        for (int asked = -1; asked <= epoch; asked++) {
            Map.Entry<Integer, Long> expected = kafka.endOffsetFor(asked, end);
            assertThat(EpochEnd.of(starts, asked, end))
                    .as("epoch %d of %s ending at %d; -Dseed=%d -Dhistories=1 replays it", asked, starts, end, seed)
                    .isEqualTo(new EpochEnd(expected.getKey(), expected.getValue()));
        }
        for (long offset = 0; offset <= end; offset++) {
            assertThat(EpochEnd.at(starts, offset))
                    .as("offset %d of %s; -Dseed=%d -Dhistories=1 replays it", offset, starts, seed)
                    .isEqualTo(kafka.epochForOffset(offset).orElse(-1));
        }
    }
}
