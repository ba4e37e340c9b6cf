package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.BundleBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchPiecesTest {
    private record Piece(long base, long end, long eventMs, long appendMs, byte[] bytes) {}

    /** Writes down what it is given. */
    private static final class Pieces implements BundleBuilder {
        private final List<Piece> added = new ArrayList<>();

        @Override
        public void stream(long streamId) {}

        @Override
        public void payload(long base, long end, long eventMs, long appendMs, ByteBuf payload) {
            added.add(new Piece(base, end, eventMs, appendMs, ByteBufUtil.getBytes(payload)));
            payload.release();
        }

        @Override
        public void checkpoint(long offset, ByteBuf payload) {
            throw new AssertionError("no checkpoints here");
        }

        @Override
        public long bytes() {
            return 0;
        }

        @Override
        public Built build() {
            throw new AssertionError("not built here");
        }

        @Override
        public void close() {}
    }

    @Test
    void aLongRangeBecomesPiecesOfWholeBatches() {
        ByteBuf bytes = Unpooled.buffer();
        for (int i = 0; i < 40; i++) {
            bytes.writeBytes(TestBatches.batch(100 + 3L * i, 3, 3_000));
        }
        Pieces pieces = new Pieces();
        BatchPieces.add(range(100, 220, bytes), bytes, pieces);
        assertThat(pieces.added).hasSizeBetween(4, 6);
        long next = 100;
        ByteBuf whole = Unpooled.buffer();
        for (Piece piece : pieces.added) {
            assertThat(piece.base()).isEqualTo(next);
            assertThat(piece.eventMs()).as("times are offsets here").isEqualTo(piece.end() - 1);
            assertThat(piece.appendMs()).isEqualTo(777);
            whole.writeBytes(piece.bytes());
            next = piece.end();
        }
        assertThat(next).isEqualTo(220);
        assertThat(whole).isEqualTo(bytes);
        assertThat(bytes.refCnt()).isEqualTo(1);
    }

    @Test
    void whatIsNoRowOfBatchesStaysAsItIs() {
        for (int cut : List.of(1, 20, 61)) {
            ByteBuf bytes = Unpooled.buffer();
            bytes.writeBytes(TestBatches.batch(0, 3, 50)).writeBytes(TestBatches.batch(3, 3, 50));
            ByteBuf torn = bytes.slice(0, bytes.readableBytes() - cut);
            Pieces pieces = new Pieces();
            BatchPieces.add(range(0, 6, torn), torn, pieces);
            assertThat(pieces.added).hasSize(1);
            assertThat(pieces.added.get(0).end()).isEqualTo(6);
            assertThat(pieces.added.get(0).eventMs()).isEqualTo(555);
        }
    }

    @Test
    void batchesThatEndBeforeOrAfterTheRangeStayAsTheyAre() {
        for (long end : List.of(6L, 8L)) {
            ByteBuf bytes = Unpooled.buffer();
            bytes.writeBytes(TestBatches.batch(0, 3, 50)).writeBytes(TestBatches.batch(3, 4, 50));
            Pieces pieces = new Pieces();
            BatchPieces.add(range(0, end, bytes), bytes, pieces);
            assertThat(pieces.added).hasSize(1);
            assertThat(pieces.added.get(0).bytes()).isEqualTo(ByteBufUtil.getBytes(bytes));
            assertThat(pieces.added.get(0).eventMs()).isEqualTo(555);
        }
    }

    @Test
    void whereCompactionTookBatchesAwayAPieceBeginsWhereTheOneBeforeEnded() {
        ByteBuf bytes = Unpooled.buffer();
        for (int i = 0; i < 40; i++) {
            bytes.writeBytes(TestBatches.batch(103 + 10L * i, 3, 3_000));
        }
        Pieces pieces = new Pieces();
        BatchPieces.add(range(100, 103 + 390 + 3, bytes), bytes, pieces);
        assertThat(pieces.added).hasSizeBetween(4, 6);
        long next = 100;
        for (Piece piece : pieces.added) {
            assertThat(piece.base()).isEqualTo(next);
            next = piece.end();
        }
        assertThat(next).isEqualTo(496);
    }

    private static StreamRange range(long base, long end, ByteBuf bytes) {
        return new StreamRange(base, end, 9, 0, bytes.readableBytes(), 555, 777);
    }
}
