package io.catchment.objectstore.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.objectstore.ObjectReader.Location;
import org.junit.jupiter.api.Test;

class ReadAheadTest {
    private static final int BLOCK = 1 << 20;
    private static final int RANGE_BYTES = 40 * BLOCK;

    private final ReadAhead ahead = new ReadAhead(8, BLOCK);

    /** The n-th range of a stream, 1000 offsets each, in an object of its own. */
    private static Location range(long streamId, int n) {
        return new Location(100 + n, 100L * BLOCK, streamId, 1000L * n, 1000L * (n + 1), 16, RANGE_BYTES);
    }

    private long blocksAhead(Location range, int fromBlock) {
        long start = range.position() + (long) fromBlock * BLOCK;
        ReadAhead.Span span = ahead.read(range, start, start + BLOCK);
        return (span.to() - span.from()) / BLOCK;
    }

    @Test
    void nothingIsReadAheadAtFirstThenTwiceAsFarWithEachStepUpToTheBound() {
        Location range = range(7, 0);
        assertThat(blocksAhead(range, 0)).isZero();
        assertThat(blocksAhead(range, 1)).isOne();
        long all = 1;
        for (int block = 2; block < 12; block++) {
            all += blocksAhead(range, block);
        }
        assertThat(all).as("read to block 12, so half to all of 8 more").isBetween(10L + 4, 10L + 8);
    }

    @Test
    void aJumpStartsOver() {
        Location range = range(7, 0);
        for (int block = 0; block < 6; block++) {
            blocksAhead(range, block);
        }
        assertThat(blocksAhead(range, 20)).isZero();
        assertThat(blocksAhead(range, 21)).isOne();
    }

    @Test
    void whoReadsOnInTheNextRangeKeepsItsWindow() {
        for (int block = 0; block < 40; block++) {
            blocksAhead(range(7, 0), block);
        }
        assertThat(blocksAhead(range(7, 1), 0)).isEqualTo(8);
        assertThat(blocksAhead(range(9, 1), 0)).as("another stream").isZero();
        assertThat(blocksAhead(range(7, 3), 0)).as("not the next range").isZero();
    }

    @Test
    void whoReadsManySmallRangesIsSequentialToo() {
        for (int n = 0; n < 4; n++) {
            Location small = new Location(200 + n, 100L * BLOCK, 7, 10L * n, 10L * (n + 1), 16, 1000);
            assertThat(ahead.read(small, 16, 1016)).isEqualTo(new ReadAhead.Span(0, 0));
        }
        Location large = new Location(300, 100L * BLOCK, 7, 40, 1000, 16, RANGE_BYTES);
        assertThat(blocksAhead(large, 0)).isEqualTo(8);
    }
}
