package io.catchment.wal.remote;

import static io.catchment.wal.testing.WalFixture.append;
import static io.catchment.wal.testing.WalFixture.bytes;
import static io.catchment.wal.testing.WalFixture.failure;
import static io.catchment.wal.testing.WalFixture.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.StoreRef;
import io.catchment.wal.lane.QuorumConfig;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.SharedRegistry;
import io.catchment.wal.testing.TestCluster;
import io.catchment.wal.testing.TestCluster.Node;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RemoteReplicaTest {
    /** However slow the machine is, every store stays a member, and what is acknowledged does not move by itself: idle lanes write nothing. */
    private static final QuorumConfig PATIENT =
            new QuorumConfig(60_000, 60_000, 60_000, 250, 60_000, 64 << 20, 1_000, 10_000, 60_000, 1_000, 30_000);

    @TempDir
    Path dir;

    private TestCluster cluster;
    private Node one;
    private Node two;
    private Node three;

    @BeforeEach
    void start() throws IOException {
        RemoteConfig remote = new RemoteConfig(TestCluster.CLUSTER, 60_000, 60_000, 50, 1_000, 64 << 20);
        cluster = new TestCluster(
                dir, 3, 2, remote, config -> config.withExtentBytes(4 << 20).withQuorum(PATIENT));
        one = cluster.start(1);
        two = cluster.start(2);
        three = cluster.start(3);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void everyStoreHasTheSameBytesAndTheSameIndex() throws Exception {
        for (int i = 0; i < 400; i++) {
            append(one.wal, Lane.NORMAL, Frames.data(i % 5, i / 5, 1, i % 7 == 0 ? 20_000 + i : 50 + i));
        }
        one.listener.await("acknowledged", 400);
        long extent = one.wal.extents().get(0);
        one.wal.roll(Lane.NORMAL, extent);
        long length = one.listener.await("sealed", 1).get(0).value();
        assertThat(cluster.registry.extent(extent).holders())
                .containsExactlyInAnyOrder(one.store(), two.store(), three.store());
        for (Node node : List.of(one, two, three)) {
            assertThat(node.wal.length(extent)).isEqualTo(OptionalLong.of(length));
            try (var loaded = get(node.wal.load(extent))) {
                assertThat(loaded.streams()).containsExactly(0, 1, 2, 3, 4);
                for (long stream = 0; stream < 5; stream++) {
                    List<FrameEntry> frames = loaded.frames(stream);
                    assertThat(frames).usingRecursiveComparison().isEqualTo(node.wal.index(extent, stream));
                    assertThat(frames).hasSize(80);
                    for (FrameEntry frame : frames) {
                        assertThat(bytes(loaded.bytes()
                                        .retainedSlice((int) frame.payloadPosition(), frame.payloadLength())))
                                .isEqualTo(Frames.bytes(stream, frame.baseOffset(), frame.payloadLength()));
                    }
                }
            }
        }
    }

    @Test
    void anOpenExtentIsReadWhereItLiesAsFarAsItIsAcknowledged() throws Exception {
        for (int i = 0; i < 50; i++) {
            append(one.wal, Lane.URGENT, Frames.data(7, i * 2, 2, 300 + i));
        }
        one.listener.await("acknowledged", 50);
        long extent = one.wal.extents().get(0);
        long acknowledged = one.wal.length(extent).orElseThrow();
        StoreRef holder = two.store();
        awaitTrue(() -> get(three.wal.peers().length(holder, extent)).equals(OptionalLong.of(acknowledged)));
        assertThat(get(three.wal.peers().streams(holder, extent))).containsExactly(7);
        List<FrameEntry> index = get(three.wal.peers().index(holder, extent, 7));
        assertThat(index).usingRecursiveComparison().isEqualTo(one.wal.index(extent, 7));
        FrameEntry floor = get(three.wal.peers().floor(holder, extent, 7, 31)).orElseThrow();
        assertThat(floor.baseOffset()).isEqualTo(30);
        assertThat(get(three.wal.peers().floor(holder, extent, 8, 31))).isEmpty();
        FrameRead read = get(three.wal.peers().read(holder, extent, 7, 31, 400));
        assertThat(read.baseOffset()).isEqualTo(30);
        assertThat(read.endOffset()).isEqualTo(32);
        assertThat(bytes(read.payload())).isEqualTo(Frames.bytes(7, 30, 315));
        assertThat(bytes(get(three.wal.peers().payload(holder, extent, index.get(49)))))
                .isEqualTo(Frames.bytes(7, 98, 349));
    }

    @Test
    void aFrameOfManyMegabytesArrives() throws Exception {
        append(one.wal, Lane.BULK, Frames.data(1, 0, 1, 9_000_001));
        append(one.wal, Lane.BULK, Frames.data(1, 1, 1, 10));
        one.listener.await("acknowledged", 2);
        long extent = one.wal.extents().get(0);
        awaitTrue(() -> two.wal.index(extent, 1).size() >= 1);
        assertThat(bytes(get(two.wal.read(extent, 1, 0, 1)).payload())).isEqualTo(Frames.bytes(1, 0, 9_000_001));
    }

    @Test
    void aStoreThatIsNotThereAnyMoreIsNeverAnsweredFor() throws Exception {
        append(one.wal, Lane.NORMAL, Frames.data(1, 0, 1, 10));
        one.listener.await("acknowledged", 1);
        long extent = one.wal.extents().get(0);
        StoreRef lost = new StoreRef(2, "another-store");
        assertThat(failure(one.wal.peers().length(lost, extent)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another-store");
        // The right one is not hurt by that.
        assertThat(get(one.wal.peers().length(two.store(), extent))).isPresent();
    }

    @Test
    void aNodeThatIsDownFailsFastAndIsFoundAgain() throws Exception {
        StoreRef store = two.store();
        cluster.kill(2);
        assertThat(failure(one.wal.peers().length(store, 1))).isInstanceOf(IOException.class);
        cluster.start(2);
        awaitTrue(() -> one.wal
                .peers()
                .length(store, 1)
                .handle((length, failure) -> failure == null)
                .toCompletableFuture()
                .join());
    }

    @Test
    void aSealedExtentIsRepairedFromAHolder() throws Exception {
        for (int i = 0; i < 300; i++) {
            append(one.wal, Lane.NORMAL, Frames.data(1, i, 1, 5_000));
        }
        one.listener.await("acknowledged", 300);
        long extent = one.wal.extents().get(0);
        one.wal.roll(Lane.NORMAL, extent);
        one.listener.await("sealed", 1);
        SharedRegistry.Extent sealed = cluster.registry.extent(extent);
        Node four = cluster.start(4);
        get(four.wal.repair(sealed.descriptor(), sealed.length(), sealed.holders()));
        get(four.wal.repair(sealed.descriptor(), sealed.length(), sealed.holders()));
        assertThat(four.wal.length(extent)).isEqualTo(OptionalLong.of(sealed.length()));
        assertThat(four.wal.index(extent, 1)).hasSize(300);
        assertThat(bytes(get(four.wal.read(extent, 1, 299, 1)).payload())).isEqualTo(Frames.bytes(1, 299, 5_000));
        cluster.kill(4);
        Node again = cluster.start(4);
        assertThat(again.wal.length(extent)).isEqualTo(OptionalLong.of(sealed.length()));
        assertThat(again.wal.index(extent, 1)).hasSize(300);
    }

    @Test
    void aDamagedAndAnUnreadableCopyAreReplacedByAHolders() throws Exception {
        for (int i = 0; i < 300; i++) {
            append(one.wal, Lane.NORMAL, Frames.data(1, i, 1, 5_000));
        }
        one.listener.await("acknowledged", 300);
        long extent = one.wal.extents().get(0);
        one.wal.roll(Lane.NORMAL, extent);
        one.listener.await("sealed", 1);
        SharedRegistry.Extent sealed = cluster.registry.extent(extent);
        Path copy;
        try (Stream<Path> files = Files.list(dir.resolve("node-1"))) {
            copy = files.filter(file -> file.getFileName().toString().startsWith("extent-0000000000000001"))
                    .findFirst()
                    .orElseThrow();
        }
        try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
            file.seek(one.wal.index(extent, 1).get(99).payloadPosition());
            file.write("rot".getBytes(StandardCharsets.US_ASCII));
        }
        assertThat(failure(one.wal.load(extent))).isInstanceOf(CorruptExtentException.class);
        assertReplaced(one, sealed, CorruptExtentException.class);

        cluster.kill(1);
        // A link to itself: what opens it gets an I/O error.
        Files.delete(copy);
        Files.createSymbolicLink(copy, copy);
        Node again = cluster.start(1);
        assertThat(again.wal.unsettled()).doesNotContain(extent);
        assertThat(failure(again.wal.load(extent)))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(CorruptExtentException.class);
        assertReplaced(again, sealed, FileSystemException.class);
    }

    private static void assertReplaced(Node node, SharedRegistry.Extent sealed, Class<? extends IOException> trouble)
            throws Exception {
        long extent = sealed.descriptor().extentId();
        assertThat(node.wal.unsettled()).contains(extent);
        assertThat(failure(node.wal.settle(extent, sealed.length()))).isInstanceOf(trouble);
        get(node.wal.repair(sealed.descriptor(), sealed.length(), sealed.holders()));
        assertThat(node.wal.unsettled()).doesNotContain(extent);
        get(node.wal.settle(extent, sealed.length()));
        try (LoadedExtent whole = get(node.wal.load(extent))) {
            assertThat(whole.frames(1)).hasSize(300);
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void awaitTrue(Condition condition) throws Exception {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("in vain");
            }
            Thread.sleep(5);
        }
    }
}
