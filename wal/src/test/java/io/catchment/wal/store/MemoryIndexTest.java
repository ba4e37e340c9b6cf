package io.catchment.wal.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What an index keeps of an extent that grows and grows. */
final class MemoryIndexTest {
    private static final int STREAMS = 500;
    private static final int FRAME_BYTES = 360;
    private static final long USUAL_LENGTH = 72 << 20;
    private static final int GROUP = 100;

    private final RowSource nothing = () -> {
        throw new AssertionError("something was read");
    };

    /** Frame number n is of stream n % STREAMS and has offset n / STREAMS. */
    private static FrameRows group(int from) {
        FrameRows rows = new FrameRows();
        for (int n = from; n < from + GROUP; n++) {
            int headAt = rows.add(FrameKind.DATA, n % STREAMS, n / STREAMS, n, position(n), FRAME_BYTES - 56, 1, 1);
            rows.bytes()[headAt] = (byte) n;
        }
        return rows;
    }

    private static long position(int n) {
        return 4096 + (long) n * FRAME_BYTES;
    }

    private static void grow(MemoryIndex index, int frames) {
        for (int n = index.frames(); n < frames; n += GROUP) {
            index.append(group(n));
        }
    }

    private static byte[] row(long position) {
        int n = (int) ((position - 4096) / FRAME_BYTES);
        FrameRows rows = group(n);
        byte[] row = new byte[IndexRow.BYTES];
        System.arraycopy(rows.bytes(), 0, row, 0, row.length);
        return row;
    }

    /** An hour without controllers at some five hundred small batches a second. */
    @Test
    void anExtentWithMillionsOfFramesTakesLittleMemoryForEach() {
        MemoryIndex index = new MemoryIndex(nothing, USUAL_LENGTH);
        int frames = 2_000_000;
        grow(index, frames);
        double bytesPerFrame = (double) index.memoryBytes() / frames;
        System.out.printf("index of %d frames: %.1f bytes of heap for each%n", frames, bytesPerFrame);
        assertThat(bytesPerFrame).isLessThan(16);
    }

    @Test
    void anExtentOfUsualLengthKeepsAllRows() throws IOException {
        MemoryIndex index = new MemoryIndex(nothing, USUAL_LENGTH);
        grow(index, 200_000);
        assertThat(index.keepsAllRows()).isTrue();
        List<FrameEntry> entries = index.query(7, rows -> RowSearch.entries(rows, 7, Long.MAX_VALUE));
        assertThat(entries).hasSize(400);
    }

    @Test
    void theTailIsFoundWithoutReadingAndTheRestByReading() throws IOException {
        int[] made = new int[1];
        MemoryIndex index = new MemoryIndex(
                () -> position -> {
                    made[0]++;
                    return row(position);
                },
                USUAL_LENGTH);
        int frames = 400_000;
        grow(index, frames);
        assertThat(index.keepsAllRows()).isFalse();
        int last = frames / STREAMS - 1;
        int oldestKept = (frames - MemoryIndex.ROWS_KEPT) / STREAMS + 1;
        for (int offset = oldestKept; offset <= last; offset++) {
            long wanted = offset;
            Optional<FrameEntry> tail = index.query(7, rows -> RowSearch.floor(rows, 7, wanted, Long.MAX_VALUE));
            assertThat(tail.orElseThrow().baseOffset()).isEqualTo(wanted);
            ReadPlan plan = index.query(7, rows -> RowSearch.plan(rows, wanted, 1 << 20, Long.MAX_VALUE));
            assertThat(plan.count()).isEqualTo(last - offset + 1);
        }
        assertThat(made[0]).isZero();
        for (int offset = 0; offset < oldestKept; offset += 13) {
            long wanted = offset;
            FrameEntry found = index.query(7, rows -> RowSearch.floor(rows, 7, wanted, Long.MAX_VALUE))
                    .orElseThrow();
            assertThat(found.baseOffset()).isEqualTo(wanted);
            assertThat(found.position()).isEqualTo(position(offset * STREAMS + 7));
            assertThat(found.head()[0]).isEqualTo((byte) (offset * STREAMS + 7));
        }
        assertThat(made[0]).isPositive();
        List<FrameEntry> all = index.query(7, rows -> RowSearch.entries(rows, 7, Long.MAX_VALUE));
        assertThat(all).extracting(FrameEntry::baseOffset).hasSize(last + 1).isSorted();
    }

    @Test
    void whatIsCutIsGoneAlsoFromAmongRowsThatAreNotKept() throws IOException {
        MemoryIndex index = new MemoryIndex(() -> MemoryIndexTest::row, USUAL_LENGTH);
        grow(index, 300_000);
        index.cut(position(100_000));
        assertThat(index.frames()).isEqualTo(100_000);
        Optional<FrameEntry> newest = index.query(7, rows -> RowSearch.floor(rows, 7, Long.MAX_VALUE, Long.MAX_VALUE));
        assertThat(newest.orElseThrow().baseOffset()).isEqualTo(199);
        assertThat(index.streams(Long.MAX_VALUE)).hasSize(STREAMS);
        assertThat(index.memoryBytes()).isPositive();
    }

    @Test
    void aLookUpThatCannotReadFails() {
        MemoryIndex index = new MemoryIndex(
                () -> {
                    throw new IOException("no disk");
                },
                USUAL_LENGTH);
        grow(index, 300_000);
        assertThatThrownBy(() -> index.query(7, rows -> RowSearch.entries(rows, 7, Long.MAX_VALUE)))
                .isInstanceOf(IOException.class)
                .hasMessage("no disk");
    }
}
