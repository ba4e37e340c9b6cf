package io.catchment.wal.node;

import static io.catchment.wal.testing.WalFixture.append;
import static io.catchment.wal.testing.WalFixture.bytes;
import static io.catchment.wal.testing.WalFixture.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Lane;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.StoreRef;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.RecordingListener;
import io.catchment.wal.testing.SharedRegistry;
import io.catchment.wal.testing.TestCluster;
import io.catchment.wal.testing.TestCluster.Node;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A lane on several stores over real sockets: replicas come and go, producers do not notice; dead writers are recovered. */
final class EnsembleTest {
    @TempDir
    Path dir;

    private TestCluster cluster;

    private void start(int replicas, int quorum, int nodes) throws IOException {
        cluster = new TestCluster(
                dir, replicas, quorum, config -> config.withExtentBytes(1 << 20).withRoll(600_000, 200));
        for (int i = 1; i <= nodes; i++) {
            cluster.start(i);
        }
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private static void appendSome(Node node, int from, int to) {
        for (int i = from; i < to; i++) {
            append(node.wal, Lane.NORMAL, Frames.data(1, i, 1, 500));
        }
        node.listener.await("acknowledged", to);
    }

    /** Told by the listener: suspended, and lost its authority. */
    private static boolean wasDisturbed(Node node) {
        return !node.listener.all("laneState").isEmpty()
                || node.listener.all("authority").stream().anyMatch(event -> event.value() == 0);
    }

    @Test
    void aReplicaIsKilledAndTheLaneMovesToAWholeEnsembleWithoutAPause() throws IOException {
        start(3, 2, 4);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 50);
        StoreRef gone = cluster.registry
                .extent(writer.wal.extents().get(0))
                .descriptor()
                .ensemble()
                .get(2);
        cluster.kill(gone.nodeId());
        for (int i = 50; i < 400; i += 10) {
            appendSome(writer, i, i + 10);
        }
        List<RecordingListener.Event> all = writer.listener.await("acknowledged", 400, event -> true);
        appendSome(writer, 400, 500);
        writer.listener.await("sealed", 1);
        append(writer.wal, Lane.NORMAL, Frames.data(1, 500, 1, 500));
        RecordingListener.Event last =
                writer.listener.await("acknowledged", 501).get(500);
        assertThat(last.extentId()).isNotEqualTo(all.get(0).extentId());
        assertThat(cluster.registry.extent(last.extentId()).descriptor().ensemble())
                .hasSize(3)
                .doesNotContain(gone);
        assertThat(wasDisturbed(writer)).isFalse();
    }

    @Test
    void withoutAnotherStoreTheQuorumGoesOnAlone() throws IOException {
        start(3, 2, 3);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 10);
        cluster.kill(3);
        for (int i = 10; i < 300; i += 10) {
            appendSome(writer, i, i + 10);
        }
        assertThat(wasDisturbed(writer)).isFalse();
        assertThat(writer.wal.accepting(Lane.NORMAL)).isTrue();
    }

    @Test
    void aStoreThatComesIsUsedBeforeTheNextRoll() throws IOException {
        start(3, 2, 2);
        Node writer = cluster.node(1);
        writer.wal.storesChanged(2, Set.of(), Set.of());
        appendSome(writer, 0, 10);
        assertThat(ensembleOf(writer, 9)).hasSize(2);
        cluster.start(3);
        writer.wal.storesChanged(3, Set.of(cluster.node(3).store()), Set.of());
        writer.listener.await("sealed", 1);
        append(writer.wal, Lane.NORMAL, Frames.data(1, 10, 1, 500));
        assertThat(ensembleOf(writer, 10)).hasSize(3);
        assertThat(wasDisturbed(writer)).isFalse();
        assertThat(cluster.registry.created()).isLessThan(6);
    }

    /** That all have left it before it goes is what its end is unnoticed for. */
    @Test
    void aStoreThatIsAboutToGoIsLeftForAnotherAndItsEndIsNotNoticed() throws IOException {
        start(3, 2, 4);
        Node writer = cluster.node(1);
        writer.wal.storesChanged(3, Set.of(), Set.of());
        appendSome(writer, 0, 10);
        StoreRef going = ensembleOf(writer, 9).get(2);
        drain(writer, going, 3);
        assertThat(openOn(writer, going)).isEmpty();
        append(writer.wal, Lane.NORMAL, Frames.data(1, 10, 1, 500));
        assertThat(ensembleOf(writer, 10)).hasSize(3).doesNotContain(going);
        goesUnnoticed(writer, going, 11);
    }

    @Test
    void whereThereIsNoStoreInPlaceOfTheOneThatGoesTheLaneMovesToTheRestAtOnce() throws IOException {
        start(3, 2, 3);
        Node writer = cluster.node(1);
        writer.wal.storesChanged(3, Set.of(), Set.of());
        appendSome(writer, 0, 10);
        StoreRef going = ensembleOf(writer, 9).get(2);
        drain(writer, going, 2);
        append(writer.wal, Lane.NORMAL, Frames.data(1, 10, 1, 500));
        assertThat(ensembleOf(writer, 10)).hasSize(2).doesNotContain(going);
        goesUnnoticed(writer, going, 11);
    }

    /** The next extent is created ahead: that one is left, too. */
    @Test
    void anIdleLaneLeavesAStoreThatIsAboutToGo() throws IOException {
        start(3, 2, 3);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 1);
        writer.wal.roll(Lane.NORMAL, cluster.registry.openOf(1).get(0).extentId());
        writer.listener.await("sealed", 1);
        assertThat(openOn(writer, cluster.node(3).store())).isNotEmpty();
        cluster.registry.drain(cluster.node(3).store());
        writer.wal.storesChanged(2, Set.of(), Set.of(cluster.node(3).store()));
        await(() -> openOn(writer, cluster.node(3).store()).isEmpty());
        assertThat(wasDisturbed(writer)).isFalse();
    }

    /** Its answer comes after the news, but was decided before. */
    @Test
    void anExtentThatWasAskedForBeforeItsStoreBeganToGoIsNotMovedTo() throws IOException {
        start(3, 2, 3);
        Node writer = cluster.node(1);
        writer.wal.storesChanged(3, Set.of(), Set.of());
        appendSome(writer, 0, 10);
        StoreRef going = ensembleOf(writer, 9).get(2);
        CompletableFuture<Void> late = new CompletableFuture<>();
        cluster.registry.answerAfter(late);
        writer.wal.roll(Lane.NORMAL, extentOf(writer, 9));
        await(() -> openOn(writer, going).size() == 2);
        long askedBefore = openOn(writer, going).get(1).extentId();
        drain(writer, going, 2, () -> {
            late.complete(null);
            appendSome(writer, 10, 100);
        });
        for (int i = 10; i < 100; i++) {
            assertThat(extentOf(writer, i)).isNotEqualTo(askedBefore);
        }
        assertThat(wasDisturbed(writer)).isFalse();
    }

    private void drain(Node writer, StoreRef going, int copies) {
        drain(writer, going, copies, () -> {});
    }

    /** Returns when what lay there is sealed. */
    private void drain(Node writer, StoreRef going, int copies, Runnable then) {
        cluster.registry.drain(going);
        writer.wal.storesChanged(copies, Set.of(), Set.of(going));
        then.run();
        await(() -> openOn(writer, going).isEmpty());
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waits in vain").isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private List<ExtentDescriptor> openOn(Node writer, StoreRef store) {
        return cluster.registry.openOf(writer.id).stream()
                .filter(extent -> extent.ensemble().contains(store))
                .toList();
    }

    /** Nothing changes for the lane: neither is it disturbed, nor does it look for other stores. */
    private void goesUnnoticed(Node writer, StoreRef going, int appended) {
        int created = cluster.registry.created();
        long extent = extentOf(writer, appended - 1);
        cluster.kill(going.nodeId());
        for (int i = appended; i < appended + 100; i += 10) {
            appendSome(writer, i, i + 10);
        }
        assertThat(wasDisturbed(writer)).isFalse();
        assertThat(extentOf(writer, appended + 99)).isEqualTo(extent);
        assertThat(cluster.registry.created()).isEqualTo(created);
    }

    private long extentOf(Node writer, int append) {
        return writer.listener.await("acknowledged", append + 1).get(append).extentId();
    }

    private List<StoreRef> ensembleOf(Node writer, int append) {
        RecordingListener.Event event =
                writer.listener.await("acknowledged", append + 1).get(append);
        return cluster.registry.extent(event.extentId()).descriptor().ensemble();
    }

    @Test
    void aStoreThatFailedJustNowIsNoReasonForExtentAfterExtent() throws IOException {
        start(3, 2, 3);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 10);
        cluster.kill(3);
        appendSome(writer, 10, 20);
        cluster.start(3);
        long end = System.nanoTime() + 1_500_000_000L;
        int appended = 20;
        while (System.nanoTime() < end) {
            appendSome(writer, appended, appended + 5);
            appended += 5;
        }
        assertThat(cluster.registry.created()).isLessThan(10);
        assertThat(wasDisturbed(writer)).isFalse();
    }

    @Test
    void whenTheQuorumIsLostFramesMoveToTheNextEnsembleInOrder() throws IOException {
        start(2, 2, 3);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 20);
        long first = writer.listener.all("acknowledged").get(0).extentId();
        StoreRef gone = cluster.registry.extent(first).descriptor().ensemble().get(1);
        cluster.kill(gone.nodeId());
        appendSome(writer, 20, 200);
        List<RecordingListener.Event> acknowledged = writer.listener.all("acknowledged");
        assertThat(acknowledged).extracting(RecordingListener.Event::value).isSorted();
        SharedRegistry.Extent left = cluster.registry.extent(first);
        assertThat(left.sealed()).isTrue();
        assertThat(left.holders()).contains(gone);
        assertThat(acknowledged.get(199).extentId()).isNotEqualTo(first);
        assertThat(writer.listener.all("laneState")).isEmpty();
    }

    @Test
    void anIdleLaneWithoutQuorumSaysSo() throws IOException {
        start(3, 2, 3);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 1);
        writer.listener.await("authority", 1, event -> event.value() == 1);
        cluster.kill(2);
        cluster.kill(3);
        writer.listener.await("authority", 1, event -> event.value() == 0);
        cluster.start(2);
        cluster.start(3);
        writer.listener.await("authority", 2, event -> event.value() == 1);
    }

    @Test
    void aDeadWritersExtentsAreRecoveredByAnotherNodeAndTheWriterIsRefused() throws Exception {
        start(3, 2, 3);
        Node writer = cluster.node(1);
        Node other = cluster.node(2);
        appendSome(writer, 0, 100);
        List<ExtentDescriptor> open = cluster.registry.openOf(1);
        cluster.registry.fence(1);
        RecoveryReport report = get(other.wal.recover(open));
        assertThat(report.waiting()).isEmpty();
        assertThat(report.sealed()).hasSize(open.size());
        RecoveryReport.Sealed sealed = report.sealed().stream()
                .filter(one -> one.length() > 0)
                .findFirst()
                .orElseThrow();
        assertThat(sealed.holders()).hasSizeGreaterThanOrEqualTo(2);
        assertThat(other.wal.index(sealed.extentId(), 1)).hasSize(100);
        assertThat(bytes(get(other.wal.read(sealed.extentId(), 1, 99, 1)).payload()))
                .isEqualTo(Frames.bytes(1, 99, 500));
        // The zombie writes on, and learns that it is one.
        var unused = writer.wal.append(Lane.NORMAL, Frames.data(1, 100, 1, 500), null);
        writer.listener.await("authority", 1, event -> event.text().startsWith("FENCED"));
        assertThat(writer.listener.all("acknowledged")).hasSize(100);
    }

    @Test
    void aStandInTakesTheTailWhenTooFewOriginalStoresAreLeft() throws Exception {
        start(2, 2, 3);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 100);
        List<ExtentDescriptor> open = cluster.registry.openOf(1);
        StoreRef left = open.get(0).ensemble().get(1);
        cluster.kill(1);
        cluster.registry.fence(1);
        Node recoverer = cluster.node(left.nodeId() == 2 ? 3 : 2);
        RecoveryReport report = get(recoverer.wal.recover(open));
        assertThat(report.waiting()).isEmpty();
        RecoveryReport.Sealed sealed = report.sealed().get(0);
        assertThat(sealed.holders()).containsExactlyInAnyOrder(left, recoverer.store());
        assertThat(recoverer.wal.index(sealed.extentId(), 1)).hasSize(100);
    }

    @Test
    void withTooFewAnswersAnExtentWaitsAndSaysForWhom() throws Exception {
        start(3, 2, 4);
        Node writer = cluster.node(1);
        appendSome(writer, 0, 10);
        ExtentDescriptor open = cluster.registry.openOf(1).get(0);
        Node recoverer = cluster.node(open.ensemble().get(1).nodeId());
        cluster.kill(1);
        cluster.registry.fence(1);
        int lost = open.ensemble().get(2).nodeId();
        cluster.kill(lost);
        RecoveryReport report = get(recoverer.wal.recover(List.of(open)));
        assertThat(report.sealed()).isEmpty();
        assertThat(report.waiting().get(0).missing())
                .containsExactlyInAnyOrder(
                        open.ensemble().get(0), open.ensemble().get(2));
        cluster.start(lost);
        // The connection is tried again after a while only: so is the recovery.
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (report.sealed().isEmpty() && System.nanoTime() < deadline) {
            report = get(recoverer.wal.recover(List.of(open)));
        }
        assertThat(report.sealed()).hasSize(1);
    }
}
