package io.catchment.broker.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.retention.Retention;
import io.catchment.controlplane.StreamRange;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;

/** A topic that compacts and deletes: what is too old goes though younger records are compacted all the time. */
class CompactAndDeleteTest {
    private static final int RETENTION_HOURS = 10;
    private static final int HOURS = 30;

    private final CompactionWorld world = new CompactionWorld(
            new SplittableRandom(1),
            new CompactionSettings(true, 1 << 20, 0.9, 0, 1),
            Map.of(
                    "cleanup.policy",
                    "compact,delete",
                    "min.cleanable.dirty.ratio",
                    "0",
                    "retention.ms",
                    Long.toString(TimeUnit.HOURS.toMillis(RETENTION_HOURS))));
    private long end;

    @Test
    void whatIsTooOldIsDeletedWhileYoungerRecordsAreCompacted() {
        CompactionWorld.Node owner = world.owner();
        new Retention(
                        world.control,
                        owner.id,
                        owner.epoch,
                        topic -> world.config,
                        null,
                        300_000,
                        owner.process,
                        new SplittableRandom(1))
                .start();
        for (int hour = 0; hour < HOURS; hour++) {
            for (int quarter = 0; quarter < 4; quarter++) {
                publish("hour " + hour, "quarter " + quarter);
                world.time.pass(TimeUnit.MINUTES.toMillis(15));
            }
        }
        assertThat(world.stream().cleanedTo()).isEqualTo(end);
        long hoursAgo = (end - world.stream().logStartOffset()) / 4;
        assertThat(hoursAgo).isBetween((long) RETENTION_HOURS - 1, RETENTION_HOURS + 2L);
        assertThat(world.stream().catalog())
                .as("what is of about one age is joined")
                .hasSizeLessThan(15);
        List<StreamRange> old = world.stream().catalog().subList(0, 5);
        assertThat(world.records())
                .filteredOn(record -> record.offset() < old.get(4).endOffset())
                .as("and compacted")
                .allMatch(record -> record.offset() % 4 == 3);
    }

    private void publish(String key, String value) {
        MemoryRecords batch = MemoryRecords.withRecords(
                end,
                Compression.NONE,
                new SimpleRecord(
                        world.time.wallClockMs(),
                        key.getBytes(StandardCharsets.UTF_8),
                        value.getBytes(StandardCharsets.UTF_8)));
        world.publish(List.of(Utils.toArray(batch.buffer())), end, end + 1);
        end++;
    }
}
