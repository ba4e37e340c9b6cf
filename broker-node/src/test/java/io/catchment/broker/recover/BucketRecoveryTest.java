package io.catchment.broker.recover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.bucket.BucketOwner;
import io.catchment.broker.bucket.OwnerMarker;
import io.catchment.broker.bucket.OwnerMarkers;
import io.catchment.broker.snapshot.KeptSnapshots;
import io.catchment.broker.snapshot.SnapshotKey;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.archive.Restoration;
import io.catchment.controlplane.archive.Restoration.Restored;
import io.catchment.controlplane.archive.StateArchive;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.bundle.BundleWriter;
import io.catchment.objectstore.manifest.ManifestCodec;
import io.catchment.objectstore.testing.MemoryStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

/** A bucket is taken over; whatever fails or ends on the way, doing it again goes on. */
class BucketRecoveryTest {
    private static final int NODE = 1;
    private static final Uuid HISTORY = new Uuid(4, 1);

    private final RulesControlPlane control = new RulesControlPlane();
    private final long epoch = control.register(NODE);
    private final Failing bucket = new Failing();
    private final List<Long> waits = new ArrayList<>();
    private Runnable whileWaiting = () -> {};
    private long a;

    /** Lets so many requests through. */
    private static final class Failing extends MemoryStore {
        private int left = Integer.MAX_VALUE;
        private boolean unheard;

        private <T> CompletionStage<T> through(Supplier<CompletionStage<T>> request) {
            if (left-- > 0) {
                return request.get();
            }
            if (unheard) {
                var unused = request.get();
            }
            return CompletableFuture.failedStage(new ObjectStoreException(Reason.TRANSIENT, "away", null));
        }

        @Override
        public CompletionStage<Void> put(String key, ByteBuf body) {
            return through(() -> super.put(key, body));
        }

        @Override
        public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
            return through(() -> super.putIfAbsent(key, body));
        }

        @Override
        public CompletionStage<ByteBuf> get(String key, long position, int length) {
            return through(() -> super.get(key, position, length));
        }

        @Override
        public CompletionStage<List<Listed>> list(String prefix) {
            return through(() -> super.list(prefix));
        }
    }

    private void own(String clusterId, long generation) {
        own(clusterId, generation, 10_000);
    }

    private void own(String clusterId, long generation, long validityMs) {
        new OwnerMarkers(bucket)
                .claim(new OwnerMarker(generation, clusterId, HISTORY, validityMs, 0))
                .toCompletableFuture()
                .join();
    }

    private OwnerMarker marker() {
        return new OwnerMarkers(bucket).newest().toCompletableFuture().join().orElseThrow();
    }

    private void topic() {
        control.now(new Command.CreateTopics(List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of())), false));
        a = control.image().topic("t").orElseThrow().streams().get(0);
    }

    private void snapshot() {
        ByteBuf body = Unpooled.buffer();
        try (ByteBufOutputStream out = new ByteBufOutputStream(body)) {
            StateArchive.write(control.image(), 1, out);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        bucket.put(new SnapshotKey(1, control.image().offset()).key(), body);
    }

    private static BundleBuilder.Built bundle(long stream, long base, long end) {
        try (BundleWriter writer = new BundleWriter(UnpooledByteBufAllocator.DEFAULT)) {
            writer.stream(stream);
            writer.payload(base, end, 1, 1, Unpooled.wrappedBuffer(new byte[50]));
            return writer.build();
        }
    }

    /** A real object, published by the real rules. */
    private long flushed(long base, long end) {
        long id = control.now(new Command.PrepareObjects(NODE, epoch, 1, 3_600_000))
                .get(0);
        BundleBuilder.Built built = bundle(a, base, end);
        long bytes = built.body().readableBytes();
        bucket.put(ObjectKeys.key(id), built.body());
        ExtentState extent = control.now(new Command.CreateExtent(NODE, epoch, 1));
        control.now(new Command.SealExtent(extent.extentId(), epoch, 100, extent.ensemble()));
        BundleBuilder.BuiltRange range = built.ranges().get(0);
        control.now(new Command.PublishFlush(
                NODE,
                epoch,
                extent.extentId(),
                id,
                bytes,
                List.of(new Command.NewRange(
                        a,
                        base,
                        end,
                        range.position(),
                        range.length(),
                        range.maxEventTimeMs(),
                        range.maxAppendTimeMs())),
                List.of()));
        return id;
    }

    /** A real manifest with the stream's first ranges, so many, published by the real rules. Answers its id. */
    private long moved(int count) {
        List<OwnedRange> ranges = control.image().stream(a).orElseThrow().catalog().subList(0, count).stream()
                .map(range -> new OwnedRange(
                        range,
                        control.image().object(range.objectId()).orElseThrow().bytes()))
                .toList();
        long id = control.now(new Command.PrepareObjects(NODE, epoch, 1, 3_600_000))
                .get(0);
        ByteBuf body = ManifestCodec.write(
                UnpooledByteBufAllocator.DEFAULT,
                new Manifest(
                        a,
                        ranges.stream()
                                .map(owned -> new Manifest.Entry(
                                        owned.range().baseOffset(),
                                        owned.range().endOffset(),
                                        owned.range().objectId(),
                                        owned.objectBytes(),
                                        owned.range().position(),
                                        owned.range().length(),
                                        owned.range().maxEventTimeMs(),
                                        owned.range().maxAppendTimeMs()))
                                .toList()));
        long bytes = body.readableBytes();
        bucket.put(ObjectKeys.key(id), body);
        control.now(new Command.PublishManifest(NODE, epoch, a, id, bytes, Command.PublishManifest.NO_OBJECT, ranges));
        assertThat(control.image().stream(a).orElseThrow().manifests()).isNotEmpty();
        return id;
    }

    private Restored recover(String clusterId) throws Exception {
        var timer = Executors.newSingleThreadScheduledExecutor();
        try {
            return new BucketRecovery(
                            bucket,
                            clusterId,
                            15_000,
                            () -> 77,
                            ms -> {
                                waits.add(ms);
                                whileWaiting.run();
                            },
                            timer)
                    .run();
        } finally {
            timer.shutdownNow();
        }
    }

    private void world() {
        own("old", 1);
        topic();
        flushed(0, 5);
        flushed(5, 10);
        moved(1);
        snapshot();
        flushed(10, 20);
        flushed(20, 25);
    }

    @Test
    void everythingPublishedIsThereAndTheBucketIsTheNewClusters() throws Exception {
        world();
        Restored restored = recover("new");
        assertThat(restored.image().stream(a).orElseThrow().catalog())
                .isEqualTo(control.image().stream(a).orElseThrow().catalog());
        assertThat(restored.reattachedObjects()).isEqualTo(2);
        assertThat(waits).containsExactly(16_500L);
        OwnerMarker marker = marker();
        assertThat(marker.clusterId()).isEqualTo("new");
        assertThat(restored.image().historyId()).hasValue(marker.historyId());
        assertThat(marker.historyId()).isNotIn(Uuid.ZERO_UUID, HISTORY);
        assertThat(new KeptSnapshots(bucket).list().toCompletableFuture().join())
                .extracting(each -> each.name().generation())
                .containsExactly(1L, 2L);
        assertThat(RecoveryReport.of(restored)).anyMatch(line -> line.startsWith("LOST"));
    }

    @Test
    void whatAManifestOwnsOutlivesTheClusterAndOneWrittenLaterBelongsToNothing() throws Exception {
        own("old", 1);
        topic();
        long first = flushed(0, 10);
        long second = flushed(10, 20);
        flushed(20, 30);
        long manifest = moved(1);
        snapshot();
        StreamState kept = control.image().stream(a).orElseThrow();
        flushed(30, 40);
        long later = moved(2);

        Restored restored = recover("new");
        StreamState stream = restored.image().stream(a).orElseThrow();
        assertThat(stream.manifests()).isEqualTo(kept.manifests());
        assertThat(stream.catalogEndOffset()).isEqualTo(40);
        assertThat(restored.missing()).isEmpty();
        assertThat(restored.unreadManifests()).isEmpty();
        assertThat(restored.image().object(first)).as("its manifest's own").isEmpty();
        assertThat(restored.image().object(manifest).orElseThrow().phase()).isEqualTo(Phase.PUBLISHED);
        assertThat(restored.image().object(second).orElseThrow().isHeldByOne()).isTrue();
        assertThat(restored.image().object(later).orElseThrow().phase()).isEqualTo(Phase.DOOMED);

        bucket.corrupt(ObjectKeys.key(manifest), 30);
        Restored blind = recover("newer");
        assertThat(blind.unreadManifests()).containsExactly(manifest);
        assertThat(blind.image().object(first)).as("not doomed").isEmpty();
        assertThat(RecoveryReport.of(blind)).anyMatch(line -> line.startsWith("BROKEN: 1 manifests"));
    }

    @Test
    void whatTheFormerOwnerStillPublishesMeanwhileIsThereToo() throws Exception {
        world();
        whileWaiting = () -> {
            flushed(25, 40);
            snapshot();
            flushed(40, 41);
        };
        assertThat(recover("new").image().stream(a).orElseThrow().catalogEndOffset())
                .isEqualTo(41);
    }

    @Test
    void whereverTheStoreFailsDoingItAgainGoesOn() throws Exception {
        for (boolean unheard : new boolean[] {false, true}) {
            int failed = 0;
            boolean done = false;
            for (int requests = 0; !done; requests++) {
                BucketRecoveryTest run = new BucketRecoveryTest();
                run.world();
                run.bucket.left = requests;
                run.bucket.unheard = unheard;
                try {
                    run.recover("new");
                    done = true;
                } catch (RecoveryException away) {
                    failed++;
                }
                run.bucket.left = Integer.MAX_VALUE;
                Restored again = run.recover("new");
                assertThat(again.image().stream(run.a).orElseThrow().catalogEndOffset())
                        .isEqualTo(25);
                assertThat(again.image().nextObjectId())
                        .isEqualTo(Restoration.idFloor(run.marker().generation()));
                assertThat(again.missing()).isEmpty();
            }
            assertThat(failed).isGreaterThan(8);
        }
    }

    @Test
    void underTheNameOfAClusterThatHasLivedNothingIsTaken() throws Exception {
        world();
        assertRefused("old", 1);

        Restored restored = recover("new");
        // The new cluster lives and writes its state
        ByteBuf body = Unpooled.buffer();
        try (ByteBufOutputStream out = new ByteBufOutputStream(body)) {
            StateArchive.write(restored.image(), 2, out);
        }
        bucket.put(new SnapshotKey(2, Restoration.FIRST_OFFSET + 3).key(), body);
        assertRefused("new", 2);
        assertThat(recover("newer").image().stream(a).orElseThrow().catalogEndOffset())
                .isEqualTo(25);
    }

    private void assertRefused(String clusterId, long generation) {
        List<?> before = bucket.list("").toCompletableFuture().join();
        assertThatThrownBy(() -> recover(clusterId))
                .isInstanceOf(RecoveryException.class)
                .hasMessageContaining("new catchment.cluster.id");
        assertThat(bucket.list("").toCompletableFuture().join()).isEqualTo(before);
        assertThat(new OwnerMarkers(bucket)
                        .newest()
                        .toCompletableFuture()
                        .join()
                        .orElseThrow()
                        .generation())
                .isEqualTo(generation);
    }

    @Test
    void aSecondMachineThatRecoversGetsTheNextGenerationAndTheSameStreams() throws Exception {
        world();
        recover("new");
        Restored other = recover("newer");
        assertThat(other.image().stream(a).orElseThrow().catalogEndOffset()).isEqualTo(25);
        assertThat(other.image().nextObjectId()).isEqualTo(Restoration.idFloor(3));
        assertThat(other.missing()).isEmpty();
    }

    /** Both have directories of controllers that begin; only one may write. */
    @Test
    void ofTwoRunsUnderOneClusterIdTheLaterOneOwnsTheBucket() throws Exception {
        world();
        Uuid first = recover("new").image().historyId().orElseThrow();
        Restored again = recover("new");
        Uuid second = again.image().historyId().orElseThrow();
        assertThat(second).isNotEqualTo(first).isEqualTo(marker().historyId());
        assertThat(marker().generation()).isEqualTo(3);
        assertThat(again.image().nextObjectId()).isEqualTo(Restoration.idFloor(3));
        assertThat(again.image().stream(a).orElseThrow().catalogEndOffset()).isEqualTo(25);
        try (var fenced = owner(first);
                var owns = owner(second)) {
            assertThatThrownBy(() -> fenced.confirm().toCompletableFuture().join())
                    .hasMessageContaining("another history of cluster new");
            assertThat(fenced.mayWrite()).isFalse();
            owns.confirm().toCompletableFuture().join();
            assertThat(owns.mayWrite()).isTrue();
        }
    }

    private BucketOwner owner(Uuid history) {
        return new BucketOwner(bucket, "new", CompletableFuture.completedStage(history), 5_000, new ManualLoop());
    }

    @Test
    void ofTwoRunsUnderOneClusterIdAtATimeTheEarlierOneGivesUp() throws Exception {
        world();
        List<Restored> inner = new ArrayList<>();
        whileWaiting = () -> {
            whileWaiting = () -> {};
            try {
                inner.add(recover("new"));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        };
        assertThatThrownBy(() -> recover("new")).hasMessageContaining("another recovery has taken the bucket");
        assertThat(inner.get(0).image().historyId()).hasValue(marker().historyId());
    }

    @Test
    void aRunThatFollowsOneWhichDidNotWaitWaitsForTheOwnerBeforeThat() throws Exception {
        own("old", 1, 60_000);
        topic();
        flushed(0, 5);
        snapshot();
        whileWaiting = () -> {
            throw new IllegalStateException("killed");
        };
        assertThatThrownBy(() -> recover("new")).hasMessage("killed");
        whileWaiting = () -> {};
        recover("new");
        assertThat(waits).containsExactly(66_000L, 66_000L);
    }

    @Test
    void whoeverTakesTheBucketMeanwhileWins() {
        world();
        whileWaiting = () -> own("third", 3);
        assertThatThrownBy(() -> recover("new")).hasMessageContaining("another recovery has taken the bucket");
    }

    @Test
    void withoutAnythingToRecoverNothingIsTaken() {
        assertThatThrownBy(() -> recover("new")).hasMessageContaining("no cluster has ever owned");
        own("old", 1);
        assertThatThrownBy(() -> recover("new")).hasMessageContaining("no snapshot of a state");
        assertThat(new OwnerMarkers(bucket)
                        .newest()
                        .toCompletableFuture()
                        .join()
                        .orElseThrow()
                        .clusterId())
                .isEqualTo("old");
    }

    @Test
    void aBrokenNewestMarkerIsNamedAndNothingIsTaken() {
        world();
        bucket.corrupt("owner/0000000000000001", 20);
        List<?> before = bucket.list("").toCompletableFuture().join();
        assertThatThrownBy(() -> recover("new"))
                .isInstanceOf(RecoveryException.class)
                .hasMessageContaining("owner/0000000000000001")
                .hasMessageContaining("Put this object back as it was")
                .hasMessageContaining("Do not delete it");
        assertThat(bucket.list("").toCompletableFuture().join()).isEqualTo(before);
        assertThat(waits).isEmpty();
    }

    /** A recovery that ended before its snapshot came after the owner whose marker is broken. */
    @Test
    void aBrokenEarlierMarkerIsWaitedForAsLongAsAnyOwnerMayWrite() throws Exception {
        world();
        own("ended", 2);
        bucket.corrupt("owner/0000000000000001", 20);
        assertThat(recover("new").image().stream(a).orElseThrow().catalogEndOffset())
                .isEqualTo(25);
        assertThat(waits).singleElement().satisfies(ms -> assertThat(ms).isBetween(1_980_000L, 1_980_001L));
        assertThat(marker().generation()).isEqualTo(3);
    }

    @Test
    void aBrokenSnapshotGivesWayToTheOneBefore() throws Exception {
        world();
        snapshot();
        List<KeptSnapshots.Kept> kept =
                new KeptSnapshots(bucket).list().toCompletableFuture().join();
        bucket.corrupt(kept.get(1).name().key(), 100);
        assertThat(recover("new").image().stream(a).orElseThrow().catalogEndOffset())
                .isEqualTo(25);
        BucketRecoveryTest broken = new BucketRecoveryTest();
        broken.world();
        broken.bucket.corrupt(
                new KeptSnapshots(broken.bucket)
                        .list()
                        .toCompletableFuture()
                        .join()
                        .get(0)
                        .name()
                        .key(),
                100);
        assertThatThrownBy(() -> broken.recover("new")).hasMessageContaining("no snapshot of the state can be read");
    }
}
