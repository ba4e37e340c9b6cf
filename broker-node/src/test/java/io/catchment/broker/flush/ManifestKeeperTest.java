package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.retention.Retention;
import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.PublishManifest;
import io.catchment.controlplane.Command.ReleaseManifest;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.wal.Lane;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of ranges on their way to a manifest and out of it, one fault at a time; FlushSimulationTest has them all at once. */
class ManifestKeeperTest {
    private final FlushWorld world = new FlushWorld();
    private long stream;

    @BeforeEach
    void start() {
        world.merging = true;
        stream = world.topic("t", 1).get(0);
        world.start();
    }

    /** As many large ranges, each in an extent of its own, without checkpoints. */
    private void flushed(int extents) {
        for (int i = 0; i < extents; i++) {
            long extent = world.openExtent(Lane.of(1));
            world.append(extent, stream, 3, 2_000);
            world.seal(extent);
            world.time.passUntil(world::allFlushed, 60_000);
        }
    }

    private StreamState stream() {
        return world.control.image().stream(stream).orElseThrow();
    }

    private void pass(long ms) {
        world.time.pass(ms);
        world.control.upkeep();
        world.invariants.hold();
    }

    @Test
    void largeRangesMoveAndMoreOfThemTakeThePlaceOfTheFirst() {
        flushed(3);
        pass(5_000);
        assertThat(stream().manifests()).hasSize(1);
        long first = stream().manifests().get(0).objectId();
        assertThat(stream().catalog()).hasSizeLessThanOrEqualTo(2);
        flushed(4);
        pass(5_000);
        assertThat(stream().manifests()).hasSize(1);
        assertThat(stream().manifests().get(0).objectId()).isNotEqualTo(first);
        assertThat(stream().manifests().get(0).ranges()).isGreaterThanOrEqualTo(5);
        pass(world.settings.reapGraceMs() + 5_000);
        assertThat(world.store.objects).doesNotContainKey(ObjectKeys.key(first));
    }

    @Test
    void anAnswerThatIsLostMovesThemOnce() {
        world.control.fate(command -> command instanceof PublishManifest
                        && world.control.submitted(PublishManifest.class).size() < 3
                ? RuledControlPlane.Fate.UNCERTAIN_DONE
                : RuledControlPlane.Fate.DONE);
        flushed(4);
        pass(TimeUnit.MINUTES.toMillis(25));
        assertThat(stream().manifests()).hasSize(1);
        pass(world.settings.objectTtlMs());
        pass(world.settings.objectTtlMs());
        pass(world.settings.reapGraceMs() + 30_000);
        world.invariants.nothingLeaked();
    }

    @Test
    void aCommandThatComesAfterATrimChangesNothing() {
        world.control.fate(command ->
                command instanceof PublishManifest ? RuledControlPlane.Fate.HELD : RuledControlPlane.Fate.DONE);
        flushed(4);
        pass(5_000);
        assertThat(world.control.heldCount()).isOne();
        world.trim(stream, 3);
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        world.control.release();
        assertThat(stream().manifests()).isEmpty();
        pass(5_000);
        assertThat(stream().manifests()).as("planned anew").hasSize(1);
    }

    @Test
    void aTrimInsideFreesWhatIsBeforeItAndOneBehindItAll() {
        flushed(7);
        pass(5_000);
        int ranges = stream().manifests().get(0).ranges();
        long freed = stream().manifests().get(0).baseOffset();
        world.control.fate(command -> command instanceof ReleaseManifest
                ? RuledControlPlane.Fate.UNCERTAIN_LOST
                : RuledControlPlane.Fate.DONE);
        world.trim(stream, freed + 7);
        pass(5_000);
        assertThat(stream().manifests().get(0).ranges()).isEqualTo(ranges);
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        pass(TimeUnit.MINUTES.toMillis(11));
        assertThat(stream().manifests().get(0).ranges()).isEqualTo(ranges - 2);
        world.trim(stream, world.endOffset(stream));
        assertThat(world.control.image().retiredManifests()).hasSize(1);
        pass(world.settings.reapGraceMs() + 10_000);
        assertThat(world.control.image().objects()).isEmpty();
        assertThat(world.store.objects).isEmpty();
    }

    @Test
    void aDeletedTopicIsFreedByWhoeverIsFirstThoughTheProcessDiesUnderWay() {
        flushed(5);
        pass(5_000);
        world.topic("other", 1);
        world.control.fate(command -> command instanceof ReleaseManifest
                ? RuledControlPlane.Fate.UNCERTAIN_LOST
                : RuledControlPlane.Fate.DONE);
        world.deleteTopic("t");
        pass(3_000);
        assertThat(world.control.image().retiredManifests()).hasSize(1);
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        world.crash();
        pass(world.settings.reapGraceMs() + 10_000);
        assertThat(world.control.image().retiredManifests()).isEmpty();
        assertThat(world.store.objects).isEmpty();
    }

    @Test
    void aDeletedTopicIsFreedThoughItsLastUploadFailed() {
        flushed(5);
        pass(5_000);
        assertThat(stream().manifests()).hasSize(1);
        world.topic("other", 1);
        world.store.puts(() -> FaultyStore.Fate.FAILED);
        long extent = world.openExtent(Lane.of(1));
        world.append(extent, stream, 3, 2_000);
        world.seal(extent);
        pass(5_000);
        world.deleteTopic("t");
        world.store.puts(() -> FaultyStore.Fate.DONE);
        pass(world.settings.objectTtlMs());
        pass(world.settings.reapGraceMs() + 10_000);
        assertThat(world.control.image().retiredManifests()).isEmpty();
        assertThat(world.store.objects).isEmpty();
    }

    /** Its objects stay: nobody knows which they are. That is loud in the log, and verify-store fails. */
    @Test
    void aManifestThatIsNotWhatWasWrittenKeepsItsObjectsAndOthersGoOn() {
        flushed(5);
        pass(5_000);
        String key = ObjectKeys.key(stream().manifests().get(0).objectId());
        byte[] right = world.store.objects.get(key);
        long objects = world.store.objects.size();
        byte[] wrong = right.clone();
        wrong[40] ^= 1;
        world.store.objects.put(key, wrong);
        world.control.now(new io.catchment.controlplane.Command.DeleteTopics(
                java.util.List.of(stream().topicId())));
        world.acknowledged.remove(stream);
        world.time.pass(TimeUnit.MINUTES.toMillis(30));
        assertThat(world.control.image().retiredManifests()).hasSize(1);
        assertThat(world.store.objects.size()).isGreaterThanOrEqualTo((int) objects - 2);
        stream = world.topic("other", 1).get(0);
        flushed(4);
        world.time.pass(5_000);
        assertThat(stream().manifests()).hasSize(1);
        world.store.objects.put(key, right);
        pass(TimeUnit.MINUTES.toMillis(25));
        assertThat(world.control.image().retiredManifests()).isEmpty();
    }

    @Test
    void retentionByAgeAndBySizeGoesThroughManifests() {
        Retention retention = new Retention(
                world.control,
                FlushWorld.NODE,
                world.nodeEpoch,
                TopicConfigs.of(world.control, new TopicSchema(Map.of()))::forTopic,
                new PlainReader(world.store, () -> world.readsFail.getAsBoolean()),
                60_000,
                world.process,
                new SplittableRandom(1));
        retention.start();
        configure("retention.ms", String.valueOf(TimeUnit.HOURS.toMillis(5)));
        for (int i = 0; i < 8; i++) {
            flushed(1);
            pass(TimeUnit.HOURS.toMillis(1));
        }
        pass(120_000);
        assertThat(stream().logStartOffset())
                .as("four of eight are more than five hours old")
                .isEqualTo(12);
        assertThat(stream().manifests()).hasSize(1);
        assertThat(stream().manifests().get(0).baseOffset()).isEqualTo(12);

        world.readsFail = () -> true;
        configure("retention.bytes", String.valueOf(stream().publishedBytes() / 4 * 3));
        pass(120_000);
        assertThat(stream().logStartOffset())
                .as("what the manifest lists is not known")
                .isEqualTo(12);
        world.readsFail = () -> false;
        pass(TimeUnit.MINUTES.toMillis(15));
        assertThat(stream().logStartOffset()).isEqualTo(15);
        configure("retention.ms", "1");
        pass(TimeUnit.MINUTES.toMillis(15));
        assertThat(stream().logStartOffset()).isEqualTo(24);
        assertThat(world.control.image().objects()).isEmpty();
        assertThat(world.store.objects).isEmpty();
    }

    private void configure(String key, String value) {
        world.control.now(new Command.AlterConfigs((byte) 2, "t", Map.of(key, value)));
    }

    @Test
    void nothingMovesWhileTheFlushIsBehind() {
        flushed(2);
        world.store.puts(() -> FaultyStore.Fate.FAILED);
        long extent = world.openExtent(Lane.of(1));
        world.append(extent, stream, 3, 2_000);
        world.seal(extent);
        pass(60_000);
        assertThat(world.control.submitted(PublishManifest.class)).isEmpty();
        world.store.puts(() -> FaultyStore.Fate.DONE);
        pass(60_000);
        flushed(2);
        pass(60_000);
        assertThat(stream().manifests()).isNotEmpty();
        assertThat(world.control.image().objects()).noneMatch(object -> object.phase() == ObjectState.Phase.PREPARED);
    }
}
