package io.catchment.broker.flush;

import io.catchment.broker.testing.TestProcess;
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
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The extents of one node's disk, which outlive the process; a test writes, breaks and weighs them. Owned by the test's thread. */
final class FlushWal implements Wal {
    static final int HEADER_BYTES = 64;
    private static final int FRAME_HEADER_BYTES = 48;

    private final TreeMap<Long, Extent> extents = new TreeMap<>();
    private final List<ByteBuf> loaded = new ArrayList<>();
    private TestProcess process;
    private LongFunction<@Nullable Throwable> loadFault = extent -> null;
    private LongFunction<@Nullable Throwable> deleteFault = extent -> null;
    private LongFunction<@Nullable Throwable> indexFault = extent -> null;
    private LongConsumer beforeDelete = extent -> {};
    private long loadMs;
    private long diskBytes = 1L << 40;
    private long bytesInMemoryMax;
    private int loadsInMemoryMax;

    private static final class Extent {
        final List<FrameEntry> frames = new ArrayList<>();
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean settled;
        /** What readers see of an open one. */
        long hiddenBytes;

        long length() {
            return bytes.size() == HEADER_BYTES ? 0 : bytes.size();
        }
    }

    FlushWal(TestProcess process) {
        this.process = process;
    }

    void process(TestProcess next) {
        process = next;
    }

    // ---- what a test does to it

    void create(long extentId) {
        Extent extent = new Extent();
        extent.bytes.writeBytes(new byte[HEADER_BYTES]);
        extents.put(extentId, extent);
    }

    void write(
            long extentId,
            FrameKind kind,
            long streamId,
            long baseOffset,
            int count,
            long appendTimeMs,
            byte[] payload) {
        Extent extent = extent(extentId);
        long position = extent.bytes.size();
        extent.bytes.writeBytes(new byte[FRAME_HEADER_BYTES]);
        extent.bytes.writeBytes(payload);
        if (kind != FrameKind.NOOP) {
            extent.frames.add(new FrameEntry(
                    kind,
                    streamId,
                    1,
                    baseOffset,
                    count,
                    appendTimeMs,
                    position,
                    position + FRAME_HEADER_BYTES,
                    payload.length,
                    Arrays.copyOf(payload, Math.min(61, payload.length))));
        }
    }

    long fileLength(long extentId) {
        return extent(extentId).length();
    }

    void settleNow(long extentId) {
        extent(extentId).settled = true;
    }

    /** The last bytes are written, but readers do not see them yet. */
    void hide(long extentId, long bytes) {
        extent(extentId).hiddenBytes = bytes;
    }

    /** As the disk is when somebody else deleted the file. */
    void lose(long extentId) {
        extents.remove(extentId);
    }

    void loadFault(LongFunction<@Nullable Throwable> fault) {
        loadFault = fault;
    }

    void deleteFault(LongFunction<@Nullable Throwable> fault) {
        deleteFault = fault;
    }

    void indexFault(LongFunction<@Nullable Throwable> fault) {
        indexFault = fault;
    }

    void beforeDelete(LongConsumer check) {
        beforeDelete = check;
    }

    void loadMs(long ms) {
        loadMs = ms;
    }

    /** All that the disk has room for; what extents take of it is not usable. */
    void diskBytes(long bytes) {
        diskBytes = bytes;
    }

    long bytesHeld() {
        return extents.values().stream().mapToLong(Extent::length).sum();
    }

    /** Of loaded extents that somebody still refers to. */
    long bytesInMemory() {
        loaded.removeIf(buffer -> buffer.refCnt() == 0);
        return loaded.stream().mapToLong(ByteBuf::capacity).sum();
    }

    long bytesInMemoryMax() {
        return bytesInMemoryMax;
    }

    int loadsInMemoryMax() {
        return loadsInMemoryMax;
    }

    /** A dead process's memory is gone with it. */
    void forgetMemory() {
        loaded.clear();
    }

    byte[] payloadNow(long extentId, FrameEntry entry) {
        byte[] all = extent(extentId).bytes.toByteArray();
        int from = Math.toIntExact(entry.payloadPosition());
        return Arrays.copyOfRange(all, from, from + entry.payloadLength());
    }

    List<FrameEntry> framesNow(long extentId) {
        return List.copyOf(extent(extentId).frames);
    }

    private Extent extent(long extentId) {
        Extent extent = extents.get(extentId);
        if (extent == null) {
            throw new AssertionError("extent " + extentId + " is not on the disk");
        }
        return extent;
    }

    // ---- what the flush sees

    @Override
    public List<Long> extents() {
        return List.copyOf(extents.keySet());
    }

    @Override
    public OptionalLong length(long extentId) {
        Extent extent = extents.get(extentId);
        return extent == null ? OptionalLong.empty() : OptionalLong.of(visible(extent));
    }

    private static long visible(Extent extent) {
        return extent.length() - extent.hiddenBytes;
    }

    @Override
    public long[] streams(long extentId) {
        readIndex(extentId);
        Extent extent = extents.get(extentId);
        if (extent == null) {
            return new long[0];
        }
        return extent.frames.stream()
                .filter(frame -> frame.payloadPosition() + frame.payloadLength() <= visible(extent))
                .mapToLong(FrameEntry::streamId)
                .distinct()
                .toArray();
    }

    @Override
    public List<FrameEntry> index(long extentId, long streamId) {
        readIndex(extentId);
        Extent extent = extents.get(extentId);
        return extent == null
                ? List.of()
                : extent.frames.stream()
                        .filter(frame -> frame.streamId() == streamId)
                        .toList();
    }

    private void readIndex(long extentId) {
        Throwable fault = indexFault.apply(extentId);
        if (fault instanceof IOException disk) {
            throw new UncheckedIOException(disk);
        }
        if (fault instanceof Error error) {
            throw error;
        }
    }

    @Override
    public CompletionStage<LoadedExtent> load(long extentId) {
        return process.later(loadMs, answer -> {
            Throwable fault = loadFault.apply(extentId);
            if (fault == null && (!extents.containsKey(extentId) || !extent(extentId).settled)) {
                fault = new IOException("extent " + extentId + " is not sealed here");
            }
            if (fault != null) {
                answer.completeExceptionally(fault);
                return;
            }
            Extent extent = extent(extentId);
            ByteBuf bytes = Unpooled.wrappedBuffer(extent.bytes.toByteArray());
            loaded.add(bytes);
            bytesInMemoryMax = Math.max(bytesInMemoryMax, bytesInMemory());
            loadsInMemoryMax = Math.max(loadsInMemoryMax, loaded.size());
            answer.complete(new Loaded(
                    extentId, bytes, extent.frames.stream().collect(Collectors.groupingBy(FrameEntry::streamId))));
        });
    }

    private record Loaded(long extentId, ByteBuf bytes, Map<Long, List<FrameEntry>> byStream) implements LoadedExtent {
        @Override
        public long[] streams() {
            return byStream.keySet().stream().mapToLong(Long::longValue).toArray();
        }

        @Override
        public List<FrameEntry> frames(long streamId) {
            return byStream.getOrDefault(streamId, List.of());
        }

        @Override
        public void close() {
            bytes.release();
        }
    }

    @Override
    public CompletionStage<Void> delete(long extentId) {
        Throwable fault = deleteFault.apply(extentId);
        if (fault == null) {
            beforeDelete.accept(extentId);
            extents.remove(extentId);
        }
        return process.later(0, answer -> {
            if (fault == null) {
                answer.complete(null);
            } else {
                answer.completeExceptionally(fault);
            }
        });
    }

    @Override
    public WalStats stats() {
        return new WalStats(Map.of(), 0, 0, 0, bytesHeld(), diskBytes - bytesHeld(), 0, Double.POSITIVE_INFINITY);
    }

    // ---- what the flush does not use

    @Override
    public String storeId() {
        return FlushWorld.STORE_ID;
    }

    @Override
    public Admission append(Lane lane, Frame frame, @Nullable Object context) {
        throw new AssertionError("the flush appends nothing");
    }

    @Override
    public boolean accepting(Lane lane) {
        return false;
    }

    @Override
    public void roll(Lane lane, long extentId) {
        throw new AssertionError("rolled through the roll request only");
    }

    @Override
    public Optional<FrameEntry> floor(long extentId, long streamId, long offset) {
        throw new AssertionError("not searched");
    }

    @Override
    public CompletionStage<FrameRead> read(long extentId, long streamId, long fromOffset, int bytesMax) {
        throw new AssertionError("loaded, not read");
    }

    @Override
    public CompletionStage<ByteBuf> payload(long extentId, FrameEntry entry) {
        throw new AssertionError("loaded, not read");
    }

    @Override
    public List<Long> unsettled() {
        return List.of();
    }

    @Override
    public CompletionStage<Void> settle(long extentId, long sealedLength) {
        throw new AssertionError("settled before the flush starts");
    }

    @Override
    public CompletionStage<RecoveryReport> recover(List<ExtentDescriptor> unsealed) {
        throw new AssertionError("recovered before the flush starts");
    }

    @Override
    public CompletionStage<Long> declareLost(ExtentDescriptor extent) {
        throw new AssertionError("nothing is lost");
    }

    @Override
    public CompletionStage<Void> shutdown(long timeoutMs) {
        throw new AssertionError("not shut down by the flush");
    }

    @Override
    public void close() {}
}
