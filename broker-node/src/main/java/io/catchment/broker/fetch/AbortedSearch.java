package io.catchment.broker.fetch;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.StreamReader;
import io.catchment.objectstore.ReadClass;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * Which transactions of a run of old records were aborted, where the partition does not remember it ({@link PartitionView#abortedKnownFrom}):
 * the markers in the log say so. All transactions with records below the last stable offset have theirs, if not below that offset itself: where one
 * transaction is open, others may have ended behind its first record. The search reads on behind the run until it has those of all transactions with
 * records in it, or comes to what the partition remembers. Owned by the one step that runs.
 *
 * <p>The run is held meanwhile. To wait for memory as well could be for ever, so without room the search asks again; whoever waits for it gives
 * up by cancelling the result: the read of the run is given up as well, or the run is released.
 */
public final class AbortedSearch {
    private static final int READ_BYTES = 1 << 20;
    private static final long RETRY_MS = 20;

    private final StreamReader reader;
    private final PartitionView view;
    private final long fromOffset;
    private final long limitOffset;
    private final CompletableFuture<Searched> result = new CompletableFuture<>();
    /** Transactions with records in the run whose marker was not seen yet, and where these begin. */
    private final Map<Long, Long> undecided = new HashMap<>();

    private final List<AbortedTransaction> aborted = new ArrayList<>();

    /** @param aborted those with records in the run, also the ones that the partition remembers */
    public record Searched(BatchRun run, List<AbortedTransaction> aborted) {}

    private AbortedSearch(StreamReader reader, PartitionView view, long fromOffset, long limitOffset) {
        this.reader = reader;
        this.view = view;
        this.fromOffset = fromOffset;
        this.limitOffset = limitOffset;
    }

    /**
     * Takes over the reference of the run that is read from the offset on; cancelling gives it up.
     *
     * @param limitOffset a last stable offset: what the run has from there on will not be shown, and may be of open transactions
     */
    public static CompletableFuture<Searched> after(
            CompletionStage<BatchRun> read,
            StreamReader reader,
            PartitionView view,
            long fromOffset,
            long limitOffset) {
        AbortedSearch search = new AbortedSearch(reader, view, fromOffset, limitOffset);
        CompletionStage<Searched> outcome = search.result;
        outcome.whenComplete((searched, failure) -> {
            if (search.result.isCancelled()) {
                read.toCompletableFuture().cancel(false);
            }
        });
        var unused = read.whenComplete((run, failure) -> {
            if (run == null) {
                search.result.completeExceptionally(
                        failure == null ? new IllegalStateException("a read brought nothing") : failure);
            } else {
                search.guarded(run, () -> {
                    search.scan(run.payload(), true);
                    search.goOn(run, run.endOffset());
                });
            }
        });
        return search.result;
    }

    private void goOn(BatchRun run, long nextOffset) {
        if (result.isDone()) {
            run.payload().release();
            return;
        }
        long known = view.abortedKnownFrom();
        if (!undecided.isEmpty() && nextOffset < Math.min(known, view.highWatermark())) {
            readOn(run, nextOffset);
            return;
        }
        List<AbortedTransaction> remembered = view.aborted(fromOffset, run.endOffset());
        if (!undecided.isEmpty() && view.abortedKnownFrom() > Math.max(known, nextOffset)) {
            // Forgotten while it was looked at
            goOn(run, nextOffset);
            return;
        }
        remembered.stream()
                .filter(each -> aborted.stream().noneMatch(found -> found.lastOffset() == each.lastOffset()))
                .forEach(aborted::add);
        if (!result.complete(new Searched(run, List.copyOf(aborted)))) {
            run.payload().release();
        }
    }

    private void readOn(BatchRun run, long nextOffset) {
        BatchRun cached = view.readTail(nextOffset, READ_BYTES);
        if (cached != null) {
            scanned(run, nextOffset, cached);
            return;
        }
        var unused = reader.readIfRoom(
                        view.streamId(), nextOffset, view.highWatermark(), READ_BYTES, ReadClass.CATCH_UP)
                .whenComplete((next, failure) -> {
                    if (next == null) {
                        fail(run, failure);
                    } else if (next.isEmpty()) {
                        next.payload().release();
                        CompletableFuture.delayedExecutor(RETRY_MS, TimeUnit.MILLISECONDS)
                                .execute(() -> guarded(run, () -> goOn(run, nextOffset)));
                    } else {
                        scanned(run, nextOffset, next);
                    }
                });
    }

    private void scanned(BatchRun run, long nextOffset, BatchRun next) {
        guarded(run, () -> {
            try {
                scan(next.payload(), false);
            } finally {
                next.payload().release();
            }
            goOn(run, Math.max(nextOffset + 1, next.endOffset()));
        });
    }

    /**
     * By the headers, one after the other: a run of several buffers is not put together for it.
     *
     * @param ofRun whether records in these batches are among those asked about, or only markers are of interest
     */
    private void scan(ByteBuf batches, boolean ofRun) {
        ByteBuffer header = ByteBuffer.allocate(BatchHeader.BYTES);
        int at = batches.readerIndex();
        while (at < batches.writerIndex()) {
            batches.getBytes(at, header.clear());
            int size = BatchHeader.sizeInBytes(header, 0);
            if (BatchHeader.isControl(header, 0)) {
                Long firstOffset = undecided.remove(BatchHeader.producerId(header, 0));
                if (firstOffset != null) {
                    ByteBuffer marker = ByteBuffer.allocate(size);
                    batches.getBytes(at, marker);
                    ended(marker.flip(), firstOffset);
                }
            } else if (ofRun
                    && BatchHeader.isTransactional(header, 0)
                    && BatchHeader.baseOffset(header, 0) < limitOffset) {
                undecided.putIfAbsent(BatchHeader.producerId(header, 0), BatchHeader.baseOffset(header, 0));
            }
            at += size;
        }
    }

    private void ended(ByteBuffer marker, long firstOffset) {
        MemoryRecords.readableRecords(marker).records().forEach(record -> {
            if (ControlRecordType.parse(record.key()) == ControlRecordType.ABORT) {
                aborted.add(new AbortedTransaction(
                        BatchHeader.producerId(marker, 0), firstOffset, record.offset(), record.offset() + 1));
            }
        });
    }

    private void guarded(BatchRun run, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            fail(run, e);
        }
    }

    private void fail(BatchRun run, @Nullable Throwable failure) {
        run.payload().release();
        result.completeExceptionally(failure == null ? new IllegalStateException("a read brought nothing") : failure);
    }
}
