package io.catchment.broker.merge;

import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.cache.SpanReader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The inputs of a plan, as runs of what lies side by side in their objects, so that a request brings many of them, and their bytes as they
 * come. Owned by the merge loop.
 */
final class MergeInputs {
    /** What lies between two inputs and is not wanted costs less than another request. */
    private static final long GAP_BYTES_MAX = 512 << 10;

    record Input(long streamId, StreamRange range) {
        private long end() {
            return range.position() + range.length();
        }
    }

    /**
     * Inputs of one object in the order in which they lie there, read together.
     *
     * @param objectBytes -1 if the object is not in the image
     */
    record Run(long objectId, long objectBytes, List<Input> inputs) {
        Run {
            inputs = List.copyOf(inputs);
        }

        Input first() {
            return inputs.get(0);
        }

        long position() {
            return first().range().position();
        }

        int length() {
            return Math.toIntExact(inputs.get(inputs.size() - 1).end() - position());
        }
    }

    /** The offset is where the range begins. */
    private record Place(long streamId, long baseOffset) {}

    private final ArrayDeque<Run> runs;
    private final RangeStash stash;
    private final Map<Place, RangeStash.Kept> read = new HashMap<>();

    MergeInputs(MergePlan plan, ClusterImage image, RangeStash stash) {
        this.runs = new ArrayDeque<>(
                runs(plan, id -> image.object(id).map(ObjectState::bytes).orElse(-1L)));
        this.stash = stash;
    }

    /** @param objectBytes by id, -1 if there is no such object */
    static List<Run> runs(MergePlan plan, LongUnaryOperator objectBytes) {
        List<Input> inputs = new ArrayList<>();
        for (StreamMerge merge : plan.streams()) {
            merge.inputs().forEach(range -> inputs.add(new Input(merge.streamId(), range)));
        }
        inputs.sort(Comparator.<Input>comparingLong(input -> input.range().objectId())
                .thenComparingLong(input -> input.range().position()));
        List<Run> runs = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= inputs.size(); i++) {
            if (i == inputs.size() || !goesOn(inputs.get(from), inputs.get(i - 1), inputs.get(i))) {
                long object = inputs.get(from).range().objectId();
                runs.add(new Run(object, objectBytes.applyAsLong(object), inputs.subList(from, i)));
                from = i;
            }
        }
        return runs;
    }

    private static boolean goesOn(Input first, Input last, Input next) {
        return next.range().objectId() == first.range().objectId()
                && next.range().position() - last.end() <= GAP_BYTES_MAX
                && next.end() - first.range().position() <= SpanReader.RUN_BYTES_MAX;
    }

    /** The next one to be read; null when all are. */
    @Nullable
    Run next() {
        return runs.peek();
    }

    /** The bytes of {@link #next}, which stay the caller's. */
    void read(ByteBuf bytes) {
        Run run = runs.remove();
        for (Input input : run.inputs) {
            int at = Math.toIntExact(input.range().position() - run.position());
            read.put(
                    new Place(input.streamId(), input.range().baseOffset()),
                    stash.keep(
                            bytes.slice(bytes.readerIndex() + at, input.range().length())));
        }
    }

    /** {@link #next} could not be read; whether its inputs are now to be read one by one, so that the bad one is found. */
    boolean split() {
        Run run = runs.element();
        if (run.inputs.size() == 1) {
            return false;
        }
        runs.remove();
        for (int i = run.inputs.size() - 1; i >= 0; i--) {
            runs.addFirst(new Run(run.objectId, run.objectBytes, run.inputs.subList(i, i + 1)));
        }
        return true;
    }

    /** The range's bytes, which are the caller's from now on. */
    ByteBuf take(long streamId, StreamRange range) {
        RangeStash.Kept kept = read.remove(new Place(streamId, range.baseOffset()));
        if (kept == null) {
            throw new IllegalStateException("stream " + streamId + ": " + range + " was not read");
        }
        return stash.take(kept);
    }

    void release() {
        read.values().forEach(kept -> {
            ByteBuf memory = kept.memory();
            if (memory != null) {
                memory.release();
            }
        });
        read.clear();
        stash.close();
    }
}
