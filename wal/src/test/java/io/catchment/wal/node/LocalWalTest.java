package io.catchment.wal.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.wal.Admission;
import io.catchment.wal.Authority;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.MemoryRegistry;
import io.catchment.wal.testing.RecordingListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LocalWalTest {
    private static final int NODE = 7;

    @TempDir
    Path dir;

    private final MemoryRegistry registry = new MemoryRegistry(NODE);
    private final List<LocalWal> opened = new ArrayList<>();
    private RecordingListener listener = new RecordingListener();
    private LocalWal wal;
    private WalConfig config;

    @BeforeEach
    void open() throws IOException {
        config = WalConfig.defaults(dir).withExtentBytes(1 << 20).withReserveBytes(0);
        start();
    }

    private void start() throws IOException {
        listener = new RecordingListener();
        wal = LocalWal.open(config, NODE, registry, listener);
        opened.add(wal);
        registry.register(wal.storeId());
    }

    @AfterEach
    void close() {
        opened.forEach(LocalWal::close);
    }

    private static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    private void append(Lane lane, Frame frame) {
        assertThat(wal.append(lane, frame, "context")).isEqualTo(Admission.ACCEPTED);
    }

    private void crash() throws IOException {
        wal.close();
        start();
    }

    @Test
    void framesAreAcknowledgedInOrderAndReadBack() throws Exception {
        for (int i = 0; i < 500; i++) {
            append(Lane.NORMAL, Frames.data(i % 5, i / 5 * 3L, 3, 100 + i));
        }
        listener.await("acknowledged", 500);
        long extent = wal.extents().get(0);
        assertThat(wal.streams(extent)).containsExactly(0, 1, 2, 3, 4);
        assertThat(wal.index(extent, 2)).hasSize(100);
        FrameEntry floor = wal.floor(extent, 2, 31).orElseThrow();
        assertThat(floor.baseOffset()).isEqualTo(30);
        assertThat(floor.head()).isEqualTo(bytesOf(2, 30, 61));
        FrameRead read = get(wal.read(extent, 2, 31, 1_000));
        assertThat(read.baseOffset()).isEqualTo(30);
        assertThat(read.endOffset()).isEqualTo(48);
        assertThat(bytes(read.payload())).startsWith(bytesOf(2, 30, 61)).hasSize(152 + 157 + 162 + 167 + 172 + 177);
        ByteBuf one = get(wal.payload(extent, floor));
        assertThat(bytes(one)).isEqualTo(Frames.bytes(2, 30, floor.payloadLength()));
    }

    @Test
    void aWalThatBrokeSaysThatTheEpochIsOver() throws Exception {
        append(Lane.NORMAL, Frames.data(1, 0, 3, 100));
        listener.await("acknowledged", 1);
        wal.broken("something that cannot be");
        listener.await("authority", Lane.values().length, event -> event.text().startsWith(Authority.FENCED.name()));
        listener.await("laneState", Lane.values().length, event -> event.value() == 0);
        assertThat(wal.append(Lane.NORMAL, Frames.data(1, 3, 3, 100), "context"))
                .isNotEqualTo(Admission.ACCEPTED);
    }

    private static byte[] bytesOf(long stream, long offset, int head) {
        return Frames.bytes(stream, offset, head);
    }

    private static byte[] bytes(ByteBuf payload) {
        byte[] bytes = ByteBufUtil.getBytes(payload);
        payload.release();
        return bytes;
    }

    @Test
    void largePayloadsAreGatheredAndReadBackAsOneBuffer() throws Exception {
        for (int i = 0; i < 10; i++) {
            append(Lane.BULK, Frames.data(1, i, 1, 50_001));
            append(Lane.BULK, Frames.data(2, i, 1, 3));
        }
        listener.await("acknowledged", 20);
        FrameRead read = get(wal.read(wal.extents().get(0), 1, 0, Integer.MAX_VALUE));
        byte[] all = bytes(read.payload());
        assertThat(read.endOffset()).isEqualTo(10);
        for (int i = 0; i < 10; i++) {
            byte[] part = new byte[50_001];
            System.arraycopy(all, i * 50_001, part, 0, part.length);
            assertThat(part).isEqualTo(Frames.bytes(1, i, 50_001));
        }
    }

    @Test
    void rollSealsWhatWasQueuedBeforeAndLoadGivesItBack() throws Exception {
        append(Lane.NORMAL, Frames.data(1, 0, 10, 300));
        listener.await("acknowledged", 1);
        long extent = wal.extents().get(0);
        append(Lane.NORMAL, Frames.data(1, 10, 10, 300));
        append(Lane.NORMAL, Frames.checkpoint(1, 20, 40));
        wal.roll(Lane.NORMAL, extent);
        RecordingListener.Event sealed = listener.await("sealed", 1).get(0);
        assertThat(sealed.extentId()).isEqualTo(extent);
        assertThat(registry.sealed()).containsEntry(extent, sealed.value());
        assertThat(wal.length(extent)).isEqualTo(OptionalLong.of(sealed.value()));
        try (LoadedExtent loaded = get(wal.load(extent))) {
            assertThat(loaded.streams()).containsExactly(1);
            List<FrameEntry> frames = loaded.frames(1);
            assertThat(frames)
                    .extracting(FrameEntry::kind)
                    .containsExactly(FrameKind.DATA, FrameKind.DATA, FrameKind.CHECKPOINT);
            FrameEntry second = frames.get(1);
            byte[] payload =
                    ByteBufUtil.getBytes(loaded.bytes(), (int) second.payloadPosition(), second.payloadLength());
            assertThat(payload).isEqualTo(Frames.bytes(1, 10, 300));
        }
    }

    @Test
    void extentsRollBySizeAloneAndDeletedOnesAreRecycled() throws Exception {
        for (int i = 0; i < 600; i++) {
            append(Lane.NORMAL, Frames.data(i, 0, 1, 10_000));
        }
        listener.await("acknowledged", 600);
        List<RecordingListener.Event> sealed = listener.await("sealed", 2);
        for (RecordingListener.Event event : sealed) {
            assertThat(event.value()).isBetween(1L << 20, 2 * ((1L << 20) + (1 << 17)));
            get(wal.delete(event.extentId()));
            get(wal.delete(event.extentId()));
        }
        assertThat(wal.extents())
                .doesNotContainAnyElementsOf(
                        sealed.stream().map(RecordingListener.Event::extentId).toList());
        assertThat(wal.stats().recycledFiles()).isPositive();
        for (int i = 0; i < 300; i++) {
            append(Lane.NORMAL, Frames.data(i, 1, 1, 10_000));
        }
        listener.await("acknowledged", 900);
        for (long extent : wal.extents()) {
            for (long stream : wal.streams(extent)) {
                for (FrameEntry entry : wal.index(extent, stream)) {
                    assertThat(bytes(get(wal.payload(extent, entry))))
                            .isEqualTo(Frames.bytes(stream, entry.baseOffset(), entry.payloadLength()));
                }
            }
        }
    }

    @Test
    void aFrameLargerThanAnExtentGetsOneOfItsOwn() throws Exception {
        append(Lane.NORMAL, Frames.data(1, 0, 1, 100));
        append(Lane.NORMAL, Frames.data(1, 1, 1, 5 << 20));
        append(Lane.NORMAL, Frames.data(1, 2, 1, 100));
        listener.await("acknowledged", 3);
        List<RecordingListener.Event> acknowledged = listener.all("acknowledged");
        assertThat(acknowledged.get(1).extentId())
                .isNotEqualTo(acknowledged.get(0).extentId());
        FrameRead read = get(wal.read(acknowledged.get(1).extentId(), 1, 1, 10));
        assertThat(bytes(read.payload())).isEqualTo(Frames.bytes(1, 1, 5 << 20));
    }

    @Test
    void acknowledgedFramesSurviveACrashAndTheExtentIsSealedByRecovery() throws Exception {
        for (int i = 0; i < 50; i++) {
            append(Lane.URGENT, Frames.data(9, i, 1, 500));
        }
        listener.await("acknowledged", 50);
        List<ExtentDescriptor> open = registry.open();
        crash();
        assertThat(wal.unsettled()).isNotEmpty();
        assertThat(wal.length(open.get(0).extentId())).isEmpty();
        RecoveryReport report = get(wal.recover(open));
        assertThat(report.waiting()).isEmpty();
        assertThat(report.sealed()).hasSize(open.size());
        assertThat(wal.unsettled()).isEmpty();
        assertThat(wal.index(open.get(0).extentId(), 9)).hasSize(50);
        assertThat(bytes(get(wal.read(open.get(0).extentId(), 9, 49, 1)).payload()))
                .isEqualTo(Frames.bytes(9, 49, 500));
    }

    @Test
    void aSealedExtentIsReadThroughItsFooterAfterARestart() throws Exception {
        for (int i = 0; i < 200; i++) {
            append(Lane.NORMAL, Frames.data(i % 7, i / 7, 1, 50));
        }
        listener.await("acknowledged", 200);
        get(wal.shutdown(10_000));
        assertThat(registry.open()).isEmpty();
        crash();
        assertThat(wal.unsettled()).isEmpty();
        long extent = wal.extents().get(0);
        assertThat(wal.streams(extent)).containsExactly(0, 1, 2, 3, 4, 5, 6);
        assertThat(wal.index(extent, 3)).hasSize(29);
        assertThat(wal.stats().indexBytes()).isLessThan(1_000);
        assertThat(bytes(get(wal.read(extent, 3, 5, 1)).payload())).isEqualTo(Frames.bytes(3, 5, 50));
    }

    @Test
    void directoriesOfFootersStayWithinTheBoundOfIndexes() throws Exception {
        for (int extent = 0; extent < 8; extent++) {
            for (int i = 0; i < 100; i++) {
                append(Lane.NORMAL, Frames.data(i, extent, 1, 50));
            }
            List<RecordingListener.Event> acknowledged = listener.await("acknowledged", 100 * (extent + 1));
            wal.roll(Lane.NORMAL, acknowledged.get(acknowledged.size() - 1).extentId());
            listener.await("sealed", extent + 1);
        }
        get(wal.shutdown(10_000));
        int bound = 8_000;
        config = config.withIndexBytesMax(bound);
        crash();
        for (int round = 0; round < 2; round++) {
            for (long extent : wal.extents()) {
                assertThat(wal.streams(extent)).hasSize(100);
                assertThat(wal.stats().indexBytes()).isLessThanOrEqualTo(bound);
                assertThat(wal.index(extent, 42)).hasSize(1);
            }
        }
        assertThat(wal.stats().indexBytes()).isPositive();
    }

    @Test
    void aWipedDirectoryNeverAnswersForTheOldStore() throws Exception {
        append(Lane.NORMAL, Frames.data(1, 0, 1, 10));
        listener.await("acknowledged", 1);
        List<ExtentDescriptor> open = registry.open();
        wal.close();
        try (Stream<Path> files = Files.list(dir)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        start();
        RecoveryReport report = get(wal.recover(open));
        assertThat(report.sealed()).isEmpty();
        assertThat(report.waiting()).hasSize(open.size());
        assertThat(report.waiting().get(0).missing()).isEqualTo(open.get(0).ensemble());
        assertThat(get(wal.declareLost(open.get(0)))).isZero();
        assertThat(registry.sealed()).containsEntry(open.get(0).extentId(), 0L);
    }

    @Test
    void theRollTimeoutRollsWithoutTheUser() throws Exception {
        wal.close();
        config = config.withRoll(50, 50);
        start();
        append(Lane.NORMAL, Frames.data(1, 0, 1, 10));
        listener.await("rollDue", 1);
        listener.await("sealed", 1);
    }

    @Test
    void theDirectoryCannotBeOpenedTwice() {
        assertThatThrownBy(() -> LocalWal.open(config, NODE, registry, listener))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("still open in this process");
    }

    @Test
    void nothingIsWrittenForALaneBeforeItsFirstFrame() throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder("store.id", "lock");
        }
    }
}
