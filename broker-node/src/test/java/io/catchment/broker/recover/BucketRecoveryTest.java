package io.catchment.broker.recover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.bucket.OwnerMarker;
import io.catchment.broker.bucket.OwnerMarkers;
import io.catchment.broker.snapshot.KeptSnapshots;
import io.catchment.broker.snapshot.SnapshotKey;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.archive.Restoration;
import io.catchment.controlplane.archive.Restoration.Restored;
import io.catchment.controlplane.archive.StateArchive;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.bundle.BundleWriter;
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
import org.junit.jupiter.api.Test;

/** A bucket is taken over; whatever fails or ends on the way, doing it again goes on. */
class BucketRecoveryTest {
    private static final int NODE = 1;

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
        new OwnerMarkers(bucket)
                .claim(new OwnerMarker(generation, clusterId, 10_000, 0))
                .toCompletableFuture()
                .join();
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
        flushed(0, 10);
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
        assertThat(new OwnerMarkers(bucket)
                        .newest()
                        .toCompletableFuture()
                        .join()
                        .orElseThrow()
                        .clusterId())
                .isEqualTo("new");
        assertThat(new KeptSnapshots(bucket).list().toCompletableFuture().join())
                .extracting(each -> each.name().generation())
                .containsExactly(1L, 2L);
        assertThat(RecoveryReport.of(restored)).anyMatch(line -> line.startsWith("LOST"));
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
                assertThat(again.image().nextObjectId()).isEqualTo(Restoration.idFloor(2));
                assertThat(again.missing()).isEmpty();
            }
            assertThat(failed).isGreaterThan(8);
        }
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
