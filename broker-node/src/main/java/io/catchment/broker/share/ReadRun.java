package io.catchment.broker.share;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.share.partition.Acquired;
import io.catchment.broker.share.partition.Found;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The batches that were read for a share fetch. Holds the run's reference until it is taken as records, or released. */
final class ReadRun {
    private final BatchRun run;
    private final List<Found.Span> spans = new ArrayList<>();
    /** Where each span's batch ends in the payload. */
    private final List<Integer> ends = new ArrayList<>();

    /** @param aborted transactions whose records the group does not read; empty when it reads all */
    ReadRun(BatchRun run, List<AbortedTransaction> aborted) {
        this.run = run;
        ByteBuffer batches = run.payload().nioBuffer();
        int at = batches.position();
        int start = at;
        while (at < batches.limit()) {
            spans.add(new Found.Span(
                    BatchHeader.baseOffset(batches, at),
                    BatchHeader.lastOffset(batches, at),
                    isDeliverable(batches, at, aborted)));
            at += BatchHeader.sizeInBytes(batches, at);
            ends.add(at - start);
        }
    }

    private static boolean isDeliverable(ByteBuffer batches, int at, List<AbortedTransaction> aborted) {
        if (BatchHeader.isControl(batches, at)) {
            return false;
        }
        if (aborted.isEmpty() || !BatchHeader.isTransactional(batches, at)) {
            return true;
        }
        long producer = BatchHeader.producerId(batches, at);
        long offset = BatchHeader.baseOffset(batches, at);
        return aborted.stream()
                .noneMatch(each ->
                        each.producerId() == producer && each.firstOffset() <= offset && offset <= each.lastOffset());
    }

    Found found(long fromOffset) {
        return new Found(fromOffset, spans);
    }

    /** The batches in which the records lie; the reference goes to the receiver. */
    ByteBuf records(List<Acquired> acquired) {
        long first = acquired.get(0).firstOffset();
        long last = acquired.get(acquired.size() - 1).lastOffset();
        int from = 0;
        int to = run.payload().readableBytes();
        for (int span = 0; span < spans.size(); span++) {
            if (spans.get(span).lastOffset() < first) {
                from = ends.get(span);
            }
            if (spans.get(span).lastOffset() >= last) {
                to = ends.get(span);
                break;
            }
        }
        return run.payload().slice(run.payload().readerIndex() + from, to - from);
    }

    void release() {
        run.payload().release();
    }
}
