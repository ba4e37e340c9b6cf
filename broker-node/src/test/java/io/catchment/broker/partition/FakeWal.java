package io.catchment.broker.partition;

import io.catchment.broker.testing.CatalogImage;
import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.Wal;
import io.catchment.wal.WalStats;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Takes frames and lets the test say when they are acknowledged; of earlier frames it has an index and payloads. */
final class FakeWal implements Wal {
    /** Frames of unflushed extents. */
    final TreeMap<Long, List<FrameEntry>> held = new TreeMap<>();

    Function<FrameEntry, CompletionStage<ByteBuf>> payloads = entry -> {
        throw new AssertionError("not read here");
    };
    Admission admission = Admission.ACCEPTED;
    final List<Acknowledged> queued = new ArrayList<>();
    final List<Lane> lanes = new ArrayList<>();

    @Override
    public Admission append(Lane lane, Frame frame, @Nullable Object context) {
        if (admission == Admission.ACCEPTED) {
            queued.add(new Acknowledged(frame, 1, queued.size(), context));
            lanes.add(lane);
        }
        return admission;
    }

    /** Takes the first frames out of the queue as one group commit and releases the WAL's references. */
    List<Acknowledged> acknowledge(int count) {
        List<Acknowledged> group = new ArrayList<>(queued.subList(0, count));
        queued.subList(0, count).clear();
        group.forEach(entry -> entry.frame().payload().release());
        return group;
    }

    @Override
    public boolean accepting(Lane lane) {
        return admission == Admission.ACCEPTED;
    }

    @Override
    public String storeId() {
        return "fake";
    }

    @Override
    public void roll(Lane lane, long extentId) {}

    @Override
    public List<Long> extents() {
        return List.copyOf(held.keySet());
    }

    @Override
    public OptionalLong length(long extentId) {
        return held.containsKey(extentId) ? OptionalLong.of(CatalogImage.EXTENT_BYTES) : OptionalLong.empty();
    }

    @Override
    public long[] streams(long extentId) {
        return new long[0];
    }

    @Override
    public List<FrameEntry> index(long extentId, long streamId) {
        return held.getOrDefault(extentId, List.of()).stream()
                .filter(frame -> frame.streamId() == streamId)
                .toList();
    }

    @Override
    public Optional<FrameEntry> floor(long extentId, long streamId, long offset) {
        return Optional.empty();
    }

    @Override
    public CompletionStage<FrameRead> read(long extentId, long streamId, long fromOffset, int bytesMax) {
        throw new AssertionError("not read here");
    }

    @Override
    public CompletionStage<ByteBuf> payload(long extentId, FrameEntry entry) {
        return payloads.apply(entry);
    }

    @Override
    public CompletionStage<LoadedExtent> load(long extentId) {
        throw new AssertionError("not read here");
    }

    @Override
    public CompletionStage<Void> delete(long extentId) {
        throw new AssertionError("not deleted here");
    }

    @Override
    public List<Long> unsettled() {
        return List.of();
    }

    @Override
    public CompletionStage<Void> settle(long extentId, long sealedLength) {
        throw new AssertionError("nothing to settle");
    }

    @Override
    public CompletionStage<RecoveryReport> recover(List<ExtentDescriptor> extents) {
        throw new AssertionError("nothing to recover");
    }

    @Override
    public CompletionStage<Long> declareLost(ExtentDescriptor extent) {
        throw new AssertionError("nothing lost");
    }

    @Override
    public WalStats stats() {
        throw new AssertionError("no stats");
    }

    @Override
    public CompletionStage<Void> shutdown(long timeoutMs) {
        throw new AssertionError("not shut down here");
    }

    @Override
    public void close() {}
}
