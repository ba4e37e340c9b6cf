package io.catchment.wal.lane;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.lane.AppendQueue.RollRequest;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * Makes the next group out of what waits: first frames that are void in an abandoned extent, in their old order, then what is
 * queued. Owned by the lane's loop.
 */
final class GroupFiller {
    private static final int FREE_GROUPS_MAX = 16;

    private final AppendQueue queue;
    private final int groupBytesMax;
    private final Supplier<Checksum> checksums;
    private final Pages pages = new Pages();
    private final Deque<EncodedGroup> freeGroups = new ArrayDeque<>();
    private final AppendQueue.Batch batch = new AppendQueue.Batch();
    private final Deque<Acknowledged> replay = new ArrayDeque<>();
    private boolean rollWanted;

    GroupFiller(AppendQueue queue, int groupBytesMax, Supplier<Checksum> checksums) {
        this.queue = queue;
        this.groupBytesMax = groupBytesMax;
        this.checksums = checksums;
    }

    boolean replaying() {
        return !replay.isEmpty();
    }

    /** Whether a frame waits; without one the next frame will wake the lane. Roll requests in front of it are for nobody. */
    boolean frameWaits() {
        if (!replay.isEmpty()) {
            return true;
        }
        while (!batch.isEmpty() || queue.drain(batch, true)) {
            if (batch.item() instanceof Frame) {
                return true;
            }
            // Without an open extent there is nothing to roll.
            batch.advance();
        }
        return false;
    }

    boolean drained() {
        return replay.isEmpty() && batch.isEmpty() && !queue.drain(batch, true);
    }

    /** Whether the last {@link #fill} met the extent's end: asked for, or no room for the next frame. */
    boolean rollWanted() {
        return rollWanted;
    }

    /**
     * The next group, or null when there is nothing to write or no room in the extent.
     *
     * @param limit how long the extent may get; a frame that no extent has room for gets one of its own
     */
    @Nullable
    EncodedGroup fill(OpenExtent extent, long limit) {
        rollWanted = false;
        EncodedGroup group = begin(extent);
        while (group.bytes() < groupBytesMax) {
            if (replay.isEmpty() && batch.isEmpty() && !queue.drain(batch, group.isEmpty())) {
                break;
            }
            boolean again = !replay.isEmpty();
            Object item = again ? replay.getFirst().frame() : batch.item();
            if (item instanceof RollRequest request) {
                batch.advance();
                if (request.extentId() == extent.id()) {
                    rollWanted = true;
                    break;
                }
                continue;
            }
            Frame frame = (Frame) item;
            long end =
                    group.endPosition() + FrameFormat.frameBytes(frame.payload().readableBytes());
            if (end > limit && (extent.holdsFrames || !group.isEmpty())) {
                rollWanted = true;
                break;
            }
            if (!group.add(frame, again ? replay.getFirst().context() : batch.context())) {
                break;
            }
            if (again) {
                replay.removeFirst();
            } else {
                batch.advance();
            }
        }
        if (group.isEmpty()) {
            free(group);
            return null;
        }
        group.end();
        return group;
    }

    /** A group that only asks the quorum. */
    EncodedGroup noop(OpenExtent extent, long nowMs) {
        EncodedGroup group = begin(extent);
        group.add(new Frame(FrameKind.NOOP, 0, 0, 0, 0, nowMs, Unpooled.EMPTY_BUFFER), null);
        group.end();
        group.noop = true;
        return group;
    }

    private EncodedGroup begin(OpenExtent extent) {
        EncodedGroup group = freeGroups.isEmpty() ? new EncodedGroup(pages, checksums.get()) : freeGroups.pop();
        group.begin(extent.id(), extent.descriptor.writerEpoch(), extent.position);
        return group;
    }

    /** Its frames are void where they are: they go first into the next extent. */
    void takeBack(EncodedGroup undecided) {
        if (undecided.noop) {
            return;
        }
        if (undecided.answersPending > 0) {
            // A slow replica still reads these payloads, maybe longer than the next extent needs them.
            undecided.retainPayloads();
            undecided.done = true;
        }
        List<Acknowledged> frames = undecided.acknowledgements();
        for (int i = frames.size() - 1; i >= 0; i--) {
            replay.addFirst(frames.get(i));
        }
    }

    /** No replica reads it any more. */
    void free(EncodedGroup group) {
        if (group.done) {
            group.releasePayloads();
        }
        group.done = false;
        group.clear();
        if (freeGroups.size() < FREE_GROUPS_MAX) {
            freeGroups.push(group);
        }
    }

    /** The lane is closed: what waits is never written. */
    void releaseAll() {
        replay.forEach(frame -> frame.frame().payload().release());
        replay.clear();
        while (!batch.isEmpty() || queue.drain(batch, true)) {
            if (batch.item() instanceof Frame frame) {
                frame.payload().release();
            }
            batch.advance();
        }
    }
}
