package io.catchment.broker.merge;

import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The inputs of a plan in the order in which they lie in their objects, so that each block of these is read once, and their bytes as they
 * come. Owned by the merge loop.
 */
final class MergeInputs {
    /** @param objectBytes -1 if the object is not in the image */
    record Input(long streamId, StreamRange range, long objectBytes) {}

    /** The offset is where the range begins. */
    private record Place(long streamId, long baseOffset) {}

    private final List<Input> inputs = new ArrayList<>();
    private final Map<Place, ByteBuf> read = new HashMap<>();
    private int next;

    MergeInputs(MergePlan plan, ClusterImage image) {
        for (StreamMerge merge : plan.streams()) {
            for (StreamRange range : merge.inputs()) {
                long bytes =
                        image.object(range.objectId()).map(ObjectState::bytes).orElse(-1L);
                inputs.add(new Input(merge.streamId(), range, bytes));
            }
        }
        inputs.sort(Comparator.<Input>comparingLong(input -> input.range().objectId())
                .thenComparingLong(input -> input.range().position()));
    }

    /** The next one to be read; null when all are. */
    @Nullable
    Input next() {
        return next < inputs.size() ? inputs.get(next) : null;
    }

    /** Takes over the bytes of {@link #next}. */
    void read(ByteBuf bytes) {
        Input input = inputs.get(next++);
        read.put(new Place(input.streamId(), input.range().baseOffset()), bytes);
    }

    /** The range's bytes, which are the caller's from now on. */
    ByteBuf take(long streamId, StreamRange range) {
        ByteBuf bytes = read.remove(new Place(streamId, range.baseOffset()));
        if (bytes == null) {
            throw new IllegalStateException("stream " + streamId + ": " + range + " was not read");
        }
        return bytes;
    }

    void release() {
        read.values().forEach(ByteBuf::release);
        read.clear();
    }
}
