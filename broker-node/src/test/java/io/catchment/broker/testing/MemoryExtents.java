package io.catchment.broker.testing;

import io.catchment.wal.Admission;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.Wal;
import io.catchment.wal.WalStats;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** The reading side of a WAL: extents in memory that a test fills, deletes and breaks. Thread-safe. */
public final class MemoryExtents implements Wal {
    public final TrackedBuffers buffers = new TrackedBuffers();
    private final ConcurrentSkipListMap<Long, List<Held>> extents = new ConcurrentSkipListMap<>();
    private final ConcurrentSkipListMap<Long, Long> lengths = new ConcurrentSkipListMap<>();
    private volatile Executor executor = Runnable::run;
    private volatile LongConsumer beforeRead = extent -> {};
    private volatile @Nullable IOException readFailure;

    private record Held(FrameEntry entry, byte[] payload) {}

    /** Reads run there instead of in the caller. */
    public void readOn(Executor readers) {
        executor = readers;
    }

    /** Runs before each read of an extent, with its id. */
    public void beforeRead(LongConsumer hook) {
        beforeRead = hook;
    }

    /** Each read fails so, until null. */
    public void failReads(@Nullable IOException failure) {
        readFailure = failure;
    }

    /** What the store shows of the extent, in bytes; 1 if it has the extent at all and a test says nothing. */
    public void show(long extentId, long length) {
        extents.computeIfAbsent(extentId, id -> new CopyOnWriteArrayList<>());
        lengths.put(extentId, length);
    }

    /** Adds a DATA frame of one or more batches to an extent. */
    public void add(long extentId, long streamId, byte[]... batches) {
        addOf(0, extentId, streamId, batches);
    }

    /** The same, written in a stream's epoch. */
    public void addOf(int epoch, long extentId, long streamId, byte[]... batches) {
        int bytes = Arrays.stream(batches).mapToInt(batch -> batch.length).sum();
        byte[] payload = new byte[bytes];
        int at = 0;
        for (byte[] batch : batches) {
            System.arraycopy(batch, 0, payload, at, batch.length);
            at += batch.length;
        }
        long base = TestBatches.baseOffset(batches[0]);
        long end = TestBatches.endOffset(batches[batches.length - 1]);
        FrameEntry entry = new FrameEntry(
                FrameKind.DATA,
                streamId,
                epoch,
                base,
                (int) (end - base),
                0,
                0,
                0,
                bytes,
                Arrays.copyOf(payload, Math.min(61, payload.length)));
        extents.computeIfAbsent(extentId, id -> new CopyOnWriteArrayList<>()).add(new Held(entry, payload));
    }

    /** Adds a CHECKPOINT frame as of the offset; its payload lies at the same number. */
    public void addCheckpoint(long extentId, long streamId, long offset, byte[] payload) {
        FrameEntry entry = new FrameEntry(
                FrameKind.CHECKPOINT,
                streamId,
                0,
                offset,
                0,
                0,
                offset,
                offset,
                payload.length,
                Arrays.copyOf(payload, Math.min(61, payload.length)));
        extents.computeIfAbsent(extentId, id -> new CopyOnWriteArrayList<>()).add(new Held(entry, payload));
    }

    public void drop(long extentId) {
        extents.remove(extentId);
        lengths.remove(extentId);
    }

    /** Payload of the stream's frames in an extent. */
    public List<byte[]> payloads(long extentId, long streamId) {
        return held(extentId, streamId).stream().map(Held::payload).toList();
    }

    private List<Held> held(long extentId, long streamId) {
        return extents.getOrDefault(extentId, List.of()).stream()
                .filter(held -> held.entry().streamId() == streamId)
                .toList();
    }

    @Override
    public List<Long> extents() {
        return List.copyOf(extents.keySet());
    }

    @Override
    public OptionalLong length(long extentId) {
        return extents.containsKey(extentId)
                ? OptionalLong.of(lengths.getOrDefault(extentId, 1L))
                : OptionalLong.empty();
    }

    @Override
    public long[] streams(long extentId) {
        return extents.getOrDefault(extentId, List.of()).stream()
                .mapToLong(held -> held.entry().streamId())
                .distinct()
                .toArray();
    }

    @Override
    public List<FrameEntry> index(long extentId, long streamId) {
        return held(extentId, streamId).stream().map(Held::entry).toList();
    }

    @Override
    public Optional<FrameEntry> floor(long extentId, long streamId, long offset) {
        return index(extentId, streamId).stream()
                .filter(entry -> entry.kind() == FrameKind.DATA && entry.baseOffset() <= offset)
                .reduce((older, newer) -> newer);
    }

    @Override
    public CompletionStage<FrameRead> read(long extentId, long streamId, long fromOffset, int bytesMax) {
        CompletableFuture<FrameRead> result = new CompletableFuture<>();
        executor.execute(() -> {
            try {
                beforeRead.accept(extentId);
                IOException failure = readFailure;
                if (failure != null) {
                    throw failure;
                }
                result.complete(readNow(extentId, streamId, fromOffset, bytesMax));
            } catch (IOException e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private FrameRead readNow(long extentId, long streamId, long fromOffset, int bytesMax) throws IOException {
        if (!extents.containsKey(extentId)) {
            throw new IOException("extent " + extentId + " is not here");
        }
        List<Held> wanted = new ArrayList<>();
        int bytes = 0;
        for (Held held : held(extentId, streamId)) {
            if (held.entry().kind() == FrameKind.DATA && held.entry().endOffset() > fromOffset) {
                bytes += held.payload().length;
                if (!wanted.isEmpty() && bytes > bytesMax) {
                    break;
                }
                wanted.add(held);
            }
        }
        ByteBuf payload = buffers.track(
                TestBatches.buffer(wanted.stream().map(Held::payload).toArray(byte[][]::new)));
        if (wanted.isEmpty()) {
            return new FrameRead(fromOffset, fromOffset, payload);
        }
        return new FrameRead(
                wanted.get(0).entry().baseOffset(),
                wanted.get(wanted.size() - 1).entry().endOffset(),
                payload);
    }

    @Override
    public String storeId() {
        return "memory";
    }

    @Override
    public Admission append(Lane lane, Frame frame, @Nullable Object context) {
        throw new AssertionError("only read here");
    }

    @Override
    public boolean accepting(Lane lane) {
        return false;
    }

    @Override
    public void roll(Lane lane, long extentId) {}

    @Override
    public CompletionStage<ByteBuf> payload(long extentId, FrameEntry entry) {
        for (Held held : held(extentId, entry.streamId())) {
            FrameEntry own = held.entry();
            if (own.kind() == entry.kind()
                    && own.baseOffset() == entry.baseOffset()
                    && own.payloadLength() == entry.payloadLength()) {
                return CompletableFuture.completedFuture(buffers.track(TestBatches.buffer(held.payload())));
            }
        }
        return CompletableFuture.failedFuture(new IOException("extent " + extentId + " has no such frame: " + entry));
    }

    @Override
    public CompletionStage<LoadedExtent> load(long extentId) {
        throw new AssertionError("not loaded here");
    }

    @Override
    public CompletionStage<Void> delete(long extentId) {
        drop(extentId);
        return CompletableFuture.completedFuture(null);
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
    public CompletionStage<RecoveryReport> recover(List<ExtentDescriptor> unsealed) {
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
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void close() {}
}
