package io.catchment.broker.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.flush.ReapHorizon;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.archive.StateArchive;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.testing.MemoryStore;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** The state in the bucket: when it is written, by whom, and what is kept. */
class StateSnapshotsTest {
    private static final int NODE = 1;
    private static final long INTERVAL_MS = 60_000;

    private final ManualLoop time = new ManualLoop();
    private final RulesControlPlane control = new RulesControlPlane();
    private final Failing bucket = new Failing();
    private final KeptSnapshots kept = new KeptSnapshots(bucket);
    private final long epoch = control.register(NODE);
    private long generation = 1;

    private static final class Failing extends MemoryStore {
        private boolean failing;

        @Override
        public CompletionStage<Void> put(String key, ByteBuf body) {
            if (failing) {
                body.release();
                return CompletableFuture.failedStage(new ObjectStoreException(Reason.TRANSIENT, "away", null));
            }
            return super.put(key, body);
        }
    }

    private StateSnapshots start(int nodeId) {
        StateSnapshots snapshots = new StateSnapshots(control, bucket, () -> generation, nodeId, INTERVAL_MS, time);
        snapshots.start();
        time.settle();
        return snapshots;
    }

    private void change() {
        control.now(new Command.PrepareObjects(NODE, epoch, 1, 1_000));
    }

    /** A doomed object. */
    private void publishAndDelete() {
        Command.CreatedTopic topic = control.now(new Command.CreateTopics(
                        List.of(new Command.CreateTopic("short-lived", 1, (short) 1, Map.of())), false))
                .get(0);
        long stream =
                control.image().topic("short-lived").orElseThrow().streams().get(0);
        ExtentState extent = control.now(new Command.CreateExtent(NODE, epoch, 1));
        control.now(new Command.SealExtent(extent.extentId(), epoch, 100, extent.ensemble()));
        long object =
                control.now(new Command.PrepareObjects(NODE, epoch, 1, 1_000)).get(0);
        control.now(new Command.PublishFlush(
                NODE,
                epoch,
                extent.extentId(),
                object,
                100,
                List.of(new Command.NewRange(stream, 0, 10, 0, 50, 1, 1)),
                List.of()));
        control.now(new Command.DeleteTopics(List.of(topic.topicId())));
    }

    private List<Long> offsets() {
        return kept.list().toCompletableFuture().join().stream()
                .map(each -> each.name().offset())
                .toList();
    }

    private StateArchive.Contents newest() throws Exception {
        List<KeptSnapshots.Kept> all = kept.list().toCompletableFuture().join();
        return StateArchive.read(
                kept.read(all.get(all.size() - 1)).toCompletableFuture().join());
    }

    @Test
    void theActiveControllersNodeWritesAtOnceAndThenWhenSomethingHasChanged() throws Exception {
        control.controller(NODE);
        StateSnapshots snapshots = start(NODE);
        assertThat(offsets()).hasSize(1);
        assertThat(newest().header().offset()).isEqualTo(control.image().offset());
        assertThat(newest().header().generation()).isEqualTo(1);
        time.pass(10 * INTERVAL_MS);
        assertThat(offsets()).as("nothing has changed").hasSize(1);
        change();
        long changed = control.image().offset();
        time.pass(1_000);
        assertThat(newest().header().offset()).isGreaterThanOrEqualTo(changed);
        change();
        time.pass(INTERVAL_MS / 2);
        assertThat(offsets()).hasSize(2);
        time.pass(INTERVAL_MS);
        assertThat(offsets()).hasSize(3);
        assertThat(snapshots.figures().written()).isEqualTo(3);
    }

    @Test
    void othersDoNotWriteNorAnybodyWhoseBucketItIsNot() {
        control.controller(2);
        start(NODE);
        time.pass(2 * INTERVAL_MS);
        generation = 0;
        control.controller(NODE);
        time.pass(2 * INTERVAL_MS);
        assertThat(offsets()).isEmpty();
        generation = 1;
        time.pass(1_000);
        assertThat(offsets()).hasSize(1);
    }

    @Test
    void aTopicOrAConfigurationIsThereSoon() throws Exception {
        control.controller(NODE);
        start(NODE);
        time.pass(5_000);
        control.now(new Command.CreateTopics(List.of(new Command.CreateTopic("fresh", 1, (short) 1, Map.of())), false));
        time.pass(2_500);
        assertThat(newest().header().offset())
                .isGreaterThanOrEqualTo(control.image().offset());
    }

    @Test
    void onlyTheNewestFewAreKeptAFormerOwnersIncluded() {
        bucket.put(new SnapshotKey(1, 999_999).key(), io.netty.buffer.Unpooled.wrappedBuffer(new byte[1]));
        generation = 2;
        control.controller(NODE);
        start(NODE);
        assertThat(kept.list().toCompletableFuture().join())
                .extracting(each -> each.name().generation())
                .containsExactly(1L, 2L);
        for (int i = 0; i < 10; i++) {
            change();
            time.pass(INTERVAL_MS + 1_000);
        }
        assertThat(kept.list().toCompletableFuture().join())
                .extracting(each -> each.name().generation())
                .containsExactly(2L, 2L, 2L);
    }

    @Test
    void aStoreThatIsAwayIsTriedAgainSoonAndNothingThatIsThereIsLost() {
        control.controller(NODE);
        StateSnapshots snapshots = start(NODE);
        List<Long> before = offsets();
        bucket.failing = true;
        change();
        time.pass(10 * INTERVAL_MS);
        assertThat(offsets()).isEqualTo(before);
        assertThat(snapshots.figures().failed()).isGreaterThan(100);
        bucket.failing = false;
        time.pass(3_000);
        assertThat(offsets()).hasSize(2);
    }

    @Test
    void whileObjectsWaitForTheirDeletionTheHorizonMovesOnThoughNothingChanges() {
        control.controller(NODE);
        SnapshotHorizon horizon = new SnapshotHorizon(kept, () -> generation, time::nanoTime);
        assertThat(horizon.offset().toCompletableFuture().join()).isEqualTo(ReapHorizon.NOTHING);
        start(NODE);
        publishAndDelete();
        long doomed = control.image().offset();
        assertThat(horizon.offset().toCompletableFuture().join()).isLessThan(doomed);
        time.pass(INTERVAL_MS * (StateSnapshots.KEPT + 1));
        assertThat(horizon.offset().toCompletableFuture().join()).isGreaterThanOrEqualTo(doomed);
        generation = 3;
        time.pass(6_000);
        assertThat(horizon.offset().toCompletableFuture().join())
                .as("snapshots of a former owner hold up everything")
                .isEqualTo(ReapHorizon.NOTHING);
    }
}
