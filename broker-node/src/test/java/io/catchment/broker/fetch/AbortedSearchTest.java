package io.catchment.broker.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.TestBatches;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AbortedSearchTest {
    private static final long ENDED = 7;
    private static final long OPEN = 8;

    private final FakePartition partition = new FakePartition("t", Uuid.randomUuid(), 0, 1);
    private final StreamReader noReads = (stream, from, limit, bytes) -> {
        throw new AssertionError("all is in the tail");
    };

    @AfterEach
    void everyBufferIsReleased() {
        assertThat(partition.buffers.unreleased()).isZero();
    }

    /** An open transaction keeps the last stable offset at its first record, however many others end behind it (P3). */
    @Test
    void aMarkerBehindTheLastStableOffsetIsFound() throws Exception {
        byte[] first = records(0, ENDED, 3);
        partition.append(first);
        partition.append(records(3, OPEN, 1));
        partition.append(marker(4, ENDED, ControlRecordType.ABORT));
        partition.append(records(5, OPEN, 2));
        partition.lastStableOffset = 3;
        partition.abortedKnownFrom = 100;
        assertThat(search(0, first.length, 3))
                .extracting(AbortedTransaction::producerId, AbortedTransaction::firstOffset)
                .containsExactly(tuple(ENDED, 0L));
    }

    @Test
    void aTransactionThatWasCommittedIsNotTold() throws Exception {
        byte[] first = records(0, ENDED, 3);
        partition.append(first);
        partition.append(marker(3, ENDED, ControlRecordType.COMMIT));
        partition.abortedKnownFrom = 100;
        assertThat(search(0, first.length, 4)).isEmpty();
    }

    /** Else each read near the last stable offset would go through all that came after it. */
    @Test
    void theEndOfAnOpenTransactionIsNotLookedFor() throws Exception {
        partition.append(TestBatches.batch(0, 3, 10));
        partition.append(records(3, OPEN, 1));
        partition.append(TestBatches.batch(4, 3, 10));
        partition.lastStableOffset = 3;
        partition.abortedKnownFrom = 100;
        BatchRun run = partition.readTail(0, 1 << 20);
        // what lies behind the run would have to be read
        BatchRun both = new BatchRun(0, 4, run.payload());
        partition.evictTo(7);
        assertThat(search(both, 0, 3)).isEmpty();
    }

    /** As blocks of an object are: batches, and their headers, begin in one and end in the next. */
    @Test
    void theRunMayLieInPieces() throws Exception {
        byte[] whole = bytes(ByteBuffer.allocate(2_000)
                .put(records(0, ENDED, 3))
                .put(marker(3, ENDED, ControlRecordType.ABORT))
                .put(records(4, OPEN, 1))
                .put(marker(5, OPEN, ControlRecordType.COMMIT))
                .flip());
        partition.abortedKnownFrom = 100;
        for (int piece : new int[] {7, 40, 61, 100}) {
            CompositeByteBuf pieces = Unpooled.compositeBuffer(whole.length);
            for (int at = 0; at < whole.length; at += piece) {
                pieces.addComponent(true, Unpooled.copiedBuffer(whole, at, Math.min(piece, whole.length - at)));
            }
            assertThat(search(new BatchRun(0, 6, pieces), 0, 6))
                    .extracting(AbortedTransaction::producerId, AbortedTransaction::lastOffset)
                    .containsExactly(tuple(ENDED, 3L));
            assertThat(pieces.refCnt()).isZero();
        }
    }

    /** Else it keeps its place among those that wait for memory, and is made for nobody. */
    @Test
    void theReadOfASearchThatIsGivenUpIsGivenUpToo() {
        CompletableFuture<BatchRun> read = new CompletableFuture<>();
        CompletableFuture<AbortedSearch.Searched> search = AbortedSearch.after(read, noReads, partition, 0, 4);
        search.cancel(false);
        assertThat(read).isCancelled();
    }

    private List<AbortedTransaction> search(long fromOffset, int bytesMax, long limitOffset) throws Exception {
        return search(partition.readTail(fromOffset, bytesMax), fromOffset, limitOffset);
    }

    private List<AbortedTransaction> search(BatchRun run, long fromOffset, long limitOffset) throws Exception {
        AbortedSearch.Searched searched = AbortedSearch.after(
                        CompletableFuture.completedFuture(run), noReads, partition, fromOffset, limitOffset)
                .get(20, TimeUnit.SECONDS);
        searched.run().payload().release();
        return searched.aborted();
    }

    private static byte[] records(long offset, long producerId, int count) {
        SimpleRecord[] all = new SimpleRecord[count];
        Arrays.setAll(all, i -> new SimpleRecord(1000, "k".getBytes(StandardCharsets.UTF_8), null));
        return bytes(MemoryRecords.withTransactionalRecords(
                        offset, Compression.NONE, producerId, (short) 0, (int) offset, 0, all)
                .buffer());
    }

    private static byte[] marker(long offset, long producerId, ControlRecordType type) {
        return bytes(MemoryRecords.withEndTransactionMarker(
                        offset, 1000, 0, producerId, (short) 0, new EndTransactionMarker(type, 0))
                .buffer());
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
