package io.catchment.broker.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A topic that had moved ranges to a manifest before it became a compacted one. */
class TombstonesAndManifestsTest {
    private static final int DELETE_RETENTION_MS = 1_000;

    private final CompactionWorld world = new CompactionWorld(
            new SplittableRandom(1),
            new CompactionSettings(true, 1 << 20, 0.9, 0, 1),
            Map.of(
                    "cleanup.policy",
                    "compact",
                    "min.cleanable.dirty.ratio",
                    "0",
                    "delete.retention.ms",
                    Integer.toString(DELETE_RETENTION_MS)));
    private long end;

    @Test
    void aTombstoneGoesWhenNothingOlderOfItsKeyIsLeft() {
        publish("k", "old");
        publish("k", null);
        compactForLong();
        assertThat(world.records()).extracting(LoggedRecord::key).doesNotContain("k");
    }

    @Test
    void aTombstoneStaysWhileAManifestMayHaveWhatItDeletes() {
        publish("k", "old");
        publish("k", null);
        firstRangeMovesToAManifest();
        compactForLong();
        assertThat(world.records())
                .filteredOn(record -> "k".equals(record.key()))
                .extracting(LoggedRecord::offset)
                .containsExactly(1L);
    }

    private void compactForLong() {
        for (int round = 0; round < 4; round++) {
            publish("other", "value " + round);
            world.settle();
            world.time.pass(DELETE_RETENTION_MS + 1);
        }
        assertThat(world.stream().cleanedTo()).isEqualTo(end);
    }

    private void firstRangeMovesToAManifest() {
        CompactionWorld.Node owner = world.owner();
        StreamRange first = world.stream().catalog().get(0);
        long bytes =
                world.control.image().object(first.objectId()).orElseThrow().bytes();
        long manifest = world.control
                .now(new Command.PrepareObjects(owner.id, owner.epoch, 1, 3_600_000))
                .get(0);
        world.control.now(new Command.PublishManifest(
                owner.id,
                owner.epoch,
                world.streamId,
                manifest,
                100,
                Command.PublishManifest.NO_OBJECT,
                List.of(new OwnedRange(first, bytes))));
        assertThat(world.stream().manifests()).hasSize(1);
    }

    private void publish(String key, @Nullable String value) {
        MemoryRecords batch = MemoryRecords.withRecords(
                end,
                Compression.NONE,
                new SimpleRecord(
                        world.time.wallClockMs(),
                        key.getBytes(StandardCharsets.UTF_8),
                        value == null ? null : value.getBytes(StandardCharsets.UTF_8)));
        world.publish(List.of(Utils.toArray(batch.buffer())), end, end + 1);
        end++;
    }
}
