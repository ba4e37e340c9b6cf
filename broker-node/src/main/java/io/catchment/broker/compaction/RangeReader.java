package io.catchment.broker.compaction;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.merge.UnreadableRangeException;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads ranges of one stream piece by piece, in whole batches, one range at a time. Owned by the loop. */
final class RangeReader {
    private static final int PIECE_BYTES = 4 << 20;

    private final MergeMeans means;
    private final SerialLoop loop;
    private final long streamId;
    private ByteBuffer buffer = ByteBuffer.allocate(0);

    /** Takes whole batches between position and limit, which are good only until it returns; false: no more of this range. */
    interface Taker {
        boolean take(ByteBuffer batches);
    }

    RangeReader(MergeMeans means, SerialLoop loop, long streamId) {
        this.means = means;
        this.loop = loop;
        this.streamId = streamId;
    }

    /**
     * Done, on the loop, with the bytes that were read. What the taker throws fails it, as a range that cannot be understood: a stream that has
     * one would else be the dirtiest for ever, and no other be compacted.
     */
    CompletionStage<Long> read(StreamRange range, Taker taker) {
        Reading reading = new Reading(range, taker);
        reading.next();
        return reading.done;
    }

    private final class Reading {
        private final StreamRange range;
        private final Taker taker;
        private final CompletableFuture<Long> done = new CompletableFuture<>();
        private int position;
        private int wanted = PIECE_BYTES;

        Reading(StreamRange range, Taker taker) {
            this.range = range;
            this.taker = taker;
        }

        void next() {
            if (position == range.length()) {
                done.complete((long) position);
                return;
            }
            ObjectState object =
                    means.controlPlane().image().object(range.objectId()).orElse(null);
            if (object == null) {
                done.completeExceptionally(new IllegalStateException(
                        "object " + range.objectId() + " of stream " + streamId + " is gone: others rewrote it"));
                return;
            }
            int length = Math.min(wanted, range.length() - position);
            means.objects()
                    .bytes(range.objectId(), object.bytes(), range.position() + position, length)
                    .whenComplete((bytes, failure) ->
                            loop.execute(() -> arrived(bytes, failure), () -> ReferenceCountUtil.release(bytes)));
        }

        private void arrived(@Nullable ByteBuf bytes, @Nullable Throwable failure) {
            if (bytes == null) {
                done.completeExceptionally(new UnreadableRangeException(
                        streamId, range, failure == null ? new IllegalStateException("no bytes") : failure));
                return;
            }
            try {
                copy(bytes);
            } finally {
                bytes.release();
            }
            try {
                if (takes()) {
                    next();
                } else {
                    done.complete((long) position);
                }
            } catch (UnreadableRangeException | OutOfMemoryError e) {
                done.completeExceptionally(e);
            } catch (RuntimeException notUnderstood) {
                done.completeExceptionally(new UnreadableRangeException(streamId, range, notUnderstood));
            }
        }

        /** Out of the blocks of a cache. */
        private void copy(ByteBuf bytes) {
            if (buffer.capacity() < bytes.readableBytes()) {
                buffer = ByteBuffer.allocate(bytes.readableBytes());
            }
            buffer.clear().limit(bytes.readableBytes());
            bytes.readBytes(buffer);
            buffer.flip();
        }

        private boolean takes() {
            int whole = wholeBatches();
            if (whole == 0) {
                // The first batch is longer than what was read
                wanted = Math.max(wanted * 2, buffer.limit());
                return true;
            }
            wanted = PIECE_BYTES;
            position += whole;
            buffer.limit(whole);
            return taker.take(buffer);
        }

        private int wholeBatches() {
            int at = 0;
            while (buffer.limit() - at >= BatchHeader.BYTES) {
                int size = BatchHeader.sizeInBytes(buffer, at);
                if (size < BatchHeader.BYTES || BatchHeader.magic(buffer, at) != 2) {
                    throw unreadable(position + at);
                }
                if (size > buffer.limit() - at) {
                    break;
                }
                at += size;
            }
            if (at == 0 && position + buffer.limit() == range.length()) {
                throw unreadable(position);
            }
            return at;
        }

        private UnreadableRangeException unreadable(int at) {
            return new UnreadableRangeException(
                    streamId, range, new IllegalStateException("no whole batch at byte " + at + " of it"));
        }
    }
}
