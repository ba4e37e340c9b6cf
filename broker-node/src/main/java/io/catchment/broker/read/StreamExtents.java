package io.catchment.broker.read;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.PeerExtents;
import io.catchment.wal.StoreRef;
import io.catchment.wal.Wal;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The unflushed extents of streams, wherever they lie: in this node's store, or on others (DESIGN §6: frames are read where they lie).
 * What is whole here the caller asks the {@link Wal} for; what is not, this asks other nodes' stores for, one after the other, each
 * for a bounded time. Thread-safe; nothing here blocks. A stage fails with {@link IOException} when no holder answers.
 *
 * <p>Two things are never taken for an answer: a sealed extent of which a store does not show all (it may not have heard of the seal, or
 * have lost the file, and "no frames" would then be a guess), and the visible end of an open extent, which a replica hears of a few
 * milliseconds after the writer. Who needs an end must know from elsewhere where it is.
 */
public final class StreamExtents {
    private static final long LOOK_UP_TIMEOUT_MS = 2_000;
    private static final long READ_TIMEOUT_MS = 5_000;

    private final Wal wal;
    private final StoreRef local;
    private final @Nullable PeerExtents peers;
    private final HolderOrder order;
    private final long lookUpTimeoutMs;
    private final long readTimeoutMs;
    private volatile @Nullable ByWriter byWriter;

    StreamExtents(Wal wal, StoreRef local, @Nullable PeerExtents peers, long lookUpTimeoutMs, long readTimeoutMs) {
        this.wal = wal;
        this.local = local;
        this.peers = peers;
        this.order = new HolderOrder(local, System::nanoTime);
        this.lookUpTimeoutMs = lookUpTimeoutMs;
        this.readTimeoutMs = readTimeoutMs;
    }

    /** Of a node that is alone: only its own store is ever asked. */
    public static StreamExtents alone(Wal wal) {
        return new StreamExtents(wal, new StoreRef(-1, wal.storeId()), null, LOOK_UP_TIMEOUT_MS, READ_TIMEOUT_MS);
    }

    /** @param nodeId of this node */
    public static StreamExtents of(Wal wal, int nodeId, PeerExtents peers) {
        return new StreamExtents(wal, new StoreRef(nodeId, wal.storeId()), peers, LOOK_UP_TIMEOUT_MS, READ_TIMEOUT_MS);
    }

    public Wal wal() {
        return wal;
    }

    public boolean isAlone() {
        return peers == null;
    }

    // ---- which extents there are

    private record ByWriter(ClusterImage image, Map<StreamState.Writer, List<ExtentState>> extents) {
        static ByWriter of(ClusterImage image) {
            Map<StreamState.Writer, List<ExtentState>> extents = new HashMap<>();
            for (ExtentState extent : image.extents()) {
                if (extent.phase() != Phase.FLUSHED && extent.length() != 0) {
                    extents.computeIfAbsent(
                                    new StreamState.Writer(extent.writerNodeId(), extent.writerEpoch()),
                                    writer -> new ArrayList<>())
                            .add(extent);
                }
            }
            return new ByWriter(image, extents);
        }
    }

    /** Extents of the stream's writers that are not flushed (and not sealed without frames), by id: all that may have frames of it which are in no object. */
    public List<ExtentState> unflushed(ClusterImage image, StreamState stream) {
        ByWriter known = byWriter;
        if (known == null || known.image() != image) {
            known = ByWriter.of(image);
            byWriter = known;
        }
        List<ExtentState> result = new ArrayList<>();
        for (StreamState.Writer writer : stream.writers()) {
            result.addAll(known.extents().getOrDefault(writer, List.of()));
        }
        result.sort(Comparator.comparingLong(ExtentState::extentId));
        return result;
    }

    /** Whether this node's store shows all of a sealed extent. */
    public boolean isWholeHere(ExtentState extent) {
        OptionalLong length = wal.length(extent.extentId());
        return length.isPresent() && extent.isSealed() && length.getAsLong() == extent.length();
    }

    /** Whether it is open and this node writes it: then this node's store, if it has a copy, knows as much as any. */
    public boolean isWrittenHere(ExtentState extent) {
        return extent.phase() == Phase.OPEN
                && isOfThisNode(extent)
                && wal.length(extent.extentId()).isPresent();
    }

    /** Whether this node's store has a copy of it, or gets one while it is written, so that others need not be asked. */
    boolean isCopiedHere(ExtentState extent) {
        return isWholeHere(extent)
                || (extent.phase() == Phase.OPEN
                        && extent.ensemble().contains(new ExtentState.Store(local.nodeId(), local.storeId())));
    }

    /** Whether it was written by this node, in whichever epoch. Alone, all were. */
    public boolean isOfThisNode(ExtentState extent) {
        return peers == null || extent.writerNodeId() == local.nodeId();
    }

    // ---- what other stores say

    /**
     * The streams with frames in an extent.
     *
     * @param ids ascending
     * @param holder who said so: of a sealed extent it shows all
     */
    public record Streams(long[] ids, StoreRef holder) {
        public boolean has(long streamId) {
            return Arrays.binarySearch(ids, streamId) >= 0;
        }
    }

    public CompletionStage<Streams> streams(ClusterImage image, ExtentState extent) {
        return ask(
                        "the streams of extent " + extent.extentId(),
                        order.of(image, extent),
                        lookUpTimeoutMs,
                        (from, holder) -> extent.isSealed()
                                ? whileWhole(from, holder, extent, () -> from.streams(holder, extent.extentId()))
                                : from.streams(holder, extent.extentId()),
                        ids -> true,
                        ids -> {})
                .thenApply(answer -> {
                    long[] ids = answer.value().clone();
                    Arrays.sort(ids);
                    return new Streams(ids, answer.holder());
                });
    }

    private interface Question<T> {
        CompletionStage<T> ask();
    }

    /** The answer of a store that showed all of the extent before it and after it: an extent that is gone answers like an empty one. */
    private static <T> CompletionStage<T> whileWhole(
            PeerExtents from, StoreRef holder, ExtentState extent, Question<T> question) {
        return from.length(holder, extent.extentId())
                .thenCompose(before -> {
                    requireWhole(extent, before);
                    return question.ask();
                })
                .thenCompose(answer -> from.length(holder, extent.extentId()).thenApply(after -> {
                    requireWhole(extent, after);
                    return answer;
                }));
    }

    private static void requireWhole(ExtentState extent, OptionalLong length) {
        if (length.isEmpty() || length.getAsLong() != extent.length()) {
            throw new NotWholeException("extent " + extent.extentId() + " is sealed at " + extent.length()
                    + ", it shows " + (length.isEmpty() ? "nothing" : Long.toString(length.getAsLong())));
        }
    }

    /** A store does not show all of a sealed extent. */
    private static final class NotWholeException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotWholeException(String message) {
            super(message);
        }
    }

    /** All frames of a stream in a sealed extent that has some: from who said so, else from the other holders. */
    public CompletionStage<List<FrameEntry>> index(
            ClusterImage image, ExtentState extent, long streamId, StoreRef knownHolder) {
        List<StoreRef> holders = new ArrayList<>(order.of(image, extent));
        holders.remove(knownHolder);
        holders.add(0, knownHolder);
        return ask(
                        "the frames of stream " + streamId + " in extent " + extent.extentId(),
                        holders,
                        lookUpTimeoutMs,
                        (from, holder) -> holder.equals(knownHolder)
                                ? requireFrames(from.index(holder, extent.extentId(), streamId))
                                : whileWhole(
                                        from,
                                        holder,
                                        extent,
                                        () -> requireFrames(from.index(holder, extent.extentId(), streamId))),
                        frames -> true,
                        frames -> {})
                .thenApply(HolderRequest.Answer::value);
    }

    private static CompletionStage<List<FrameEntry>> requireFrames(CompletionStage<List<FrameEntry>> index) {
        return index.thenApply(frames -> {
            if (frames.isEmpty()) {
                throw new NotWholeException("it had frames of the stream and shows none now");
            }
            return frames;
        });
    }

    /** The frames of a stream in an open extent, from whoever shows most of them. Fails only when nobody answers. */
    public CompletionStage<List<FrameEntry>> longestIndex(ClusterImage image, ExtentState extent, long streamId) {
        CompletableFuture<List<FrameEntry>> result = new CompletableFuture<>();
        List<StoreRef> holders = order.of(image, extent);
        List<CompletableFuture<List<FrameEntry>>> answers = holders.stream()
                .map(holder -> ask(
                                "the frames of stream " + streamId + " in extent " + extent.extentId(),
                                List.of(holder),
                                lookUpTimeoutMs,
                                (from, store) -> from.index(store, extent.extentId(), streamId),
                                frames -> true,
                                frames -> {})
                        .thenApply(HolderRequest.Answer::value)
                        .toCompletableFuture())
                .toList();
        CompletionStage<Void> all = CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new));
        all.whenComplete((done, failure) -> {
            Optional<List<FrameEntry>> longest = answers.stream()
                    .filter(answer -> !answer.isCompletedExceptionally())
                    .map(CompletableFuture::join)
                    .max(Comparator.comparingInt(List::size));
            if (longest.isPresent()) {
                result.complete(longest.get());
            } else {
                result.completeExceptionally(
                        failure == null
                                ? new IOException("extent " + extent.extentId() + " is on no other store")
                                : failure);
            }
        });
        return result;
    }

    /** The frames of a stream in an extent, which may be none: all of them if it is sealed, else as {@link #longestIndex}. */
    public CompletionStage<List<FrameEntry>> frames(ClusterImage image, ExtentState extent, long streamId) {
        if (!extent.isSealed()) {
            return longestIndex(image, extent, streamId);
        }
        return ask(
                        "the frames of stream " + streamId + " in extent " + extent.extentId(),
                        order.of(image, extent),
                        lookUpTimeoutMs,
                        (from, holder) ->
                                whileWhole(from, holder, extent, () -> from.index(holder, extent.extentId(), streamId)),
                        frames -> true,
                        frames -> {})
                .thenApply(HolderRequest.Answer::value);
    }

    /** Where an offset was found. */
    record Located(ExtentState extent, StoreRef holder) {}

    /** Whether another store shows the offset in the extent; of an open one all are asked, since some may not show it yet. */
    CompletionStage<Optional<Located>> locate(ClusterImage image, ExtentState extent, long streamId, long offset) {
        return ask(
                        "offset " + offset + " of stream " + streamId + " in extent " + extent.extentId(),
                        order.of(image, extent),
                        lookUpTimeoutMs,
                        (from, holder) -> from.floor(holder, extent.extentId(), streamId, offset),
                        frame -> extent.isSealed() || holds(frame, offset),
                        frame -> {})
                .thenApply(answer -> holds(answer.value(), offset)
                        ? Optional.of(new Located(extent, answer.holder()))
                        : Optional.empty());
    }

    private static boolean holds(Optional<FrameEntry> frame, long offset) {
        return frame.isPresent()
                && frame.get().baseOffset() <= offset
                && frame.get().endOffset() > offset;
    }

    /** See {@link Wal#read}, but never without the frame that holds the offset. The caller releases the payload. */
    CompletionStage<FrameRead> read(
            ClusterImage image,
            ExtentState extent,
            @Nullable StoreRef knownHolder,
            long streamId,
            long fromOffset,
            int bytesMax) {
        List<StoreRef> holders = new ArrayList<>(order.of(image, extent));
        if (knownHolder != null) {
            holders.remove(knownHolder);
            holders.add(0, knownHolder);
        }
        return ask(
                        "offset " + fromOffset + " of stream " + streamId + " in extent " + extent.extentId(),
                        holders,
                        readTimeoutMs,
                        (from, holder) -> from.read(holder, extent.extentId(), streamId, fromOffset, bytesMax)
                                .thenApply(frames -> requireOffset(frames, fromOffset)),
                        frames -> true,
                        frames -> frames.payload().release())
                .thenApply(HolderRequest.Answer::value);
    }

    private static FrameRead requireOffset(FrameRead frames, long offset) {
        if (!frames.payload().isReadable() || frames.baseOffset() > offset || frames.endOffset() <= offset) {
            frames.payload().release();
            throw new NotWholeException("it does not show offset " + offset);
        }
        return frames;
    }

    /** See {@link Wal#payload}: from this node's store if the frame is visible there, else from others. The caller releases it. */
    public CompletionStage<ByteBuf> payload(ClusterImage image, ExtentState extent, FrameEntry entry) {
        long end = entry.payloadPosition() + entry.payloadLength();
        OptionalLong here = wal.length(extent.extentId());
        if (peers == null || (here.isPresent() && here.getAsLong() >= end)) {
            return wal.payload(extent.extentId(), entry);
        }
        return ask(
                        "the frame at " + entry.position() + " of extent " + extent.extentId(),
                        order.of(image, extent),
                        readTimeoutMs,
                        (from, holder) -> from.payload(holder, extent.extentId(), entry),
                        payload -> true,
                        ByteBuf::release)
                .thenApply(HolderRequest.Answer::value);
    }

    private interface HolderQuestion<T> {
        CompletionStage<T> ask(PeerExtents from, StoreRef holder);
    }

    private <T> CompletionStage<HolderRequest.Answer<T>> ask(
            String what,
            List<StoreRef> holders,
            long timeoutMs,
            HolderQuestion<T> question,
            Predicate<T> good,
            Consumer<T> release) {
        PeerExtents others = peers;
        if (others == null) {
            return CompletableFuture.failedStage(
                    new IOException(what + ": it is not whole in this node's store, and this node is alone"));
        }
        Function<StoreRef, CompletionStage<T>> request = holder -> question.ask(others, holder);
        return new HolderRequest<>(what, holders, order, timeoutMs, request, good, release).ask();
    }
}
