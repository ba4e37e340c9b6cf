package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.read.BatchRun;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class TailTest {
    private final Tail tail = new Tail();
    private final List<ByteBuf> payloads = new ArrayList<>();

    private void add(long base, long end) {
        ByteBuf payload = Unpooled.wrappedBuffer(new byte[10]);
        payloads.add(payload);
        tail.add(base, end, payload);
    }

    private long end(long from, long limit, int bytesMax) {
        BatchRun run = Objects.requireNonNull(tail.read(from, limit, bytesMax));
        run.payload().release();
        return run.endOffset();
    }

    @Test
    void nothingPastTheLimitIsGivenOut() {
        add(0, 3);
        add(3, 5);
        add(5, 9);
        assertThat(end(0, 9, 1000)).isEqualTo(9);
        assertThat(end(0, 8, 1000)).isEqualTo(5);
        assertThat(end(0, 5, 1000)).isEqualTo(5);
        assertThat(end(1, 3, 1000)).isEqualTo(3);
        assertThat(tail.read(1, 2, 1000)).isNull();
        assertThat(tail.read(5, 8, 1000)).isNull();
        assertThat(end(0, 9, 25)).isEqualTo(5);
    }

    @Test
    void aClosedTailHoldsAndTakesNothing() {
        add(0, 3);
        add(3, 5);
        assertThat(tail.close()).isEqualTo(20);
        add(5, 6);
        assertThat(tail.read(0, 9, 1000)).isNull();
        assertThat(payloads).allMatch(payload -> payload.refCnt() == 0);
    }
}
