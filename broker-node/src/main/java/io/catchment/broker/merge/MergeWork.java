package io.catchment.broker.merge;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.bundle.BundleWriter;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One plan carried out: takes an id, reads the inputs one after the other, builds the object in memory, puts it and publishes it. Owned by
 * the loop; used once. A crash at any step leaves at most an object whose id expires (O3); the catalog changes in one command, by which
 * every stream's inputs are still current or that stream stays as it is.
 */
final class MergeWork implements RewriteStep {
    private final MergeMeans means;
    private final MergePlan plan;
    private final SerialLoop loop;
    private final long objectTtlMs;
    private final BiConsumer<MergePlan, @Nullable Long> ended;
    private final BundleWriter writer;
    private final ClusterImage image;
    private final CompletableFuture<Long> result = new CompletableFuture<>();
    private int stream;
    private int input;
    private long objectId;

    /** @param ended hears, on the loop, with the bytes of the object; null: it failed */
    MergeWork(
            MergeMeans means,
            MergePlan plan,
            SerialLoop loop,
            long objectTtlMs,
            BiConsumer<MergePlan, @Nullable Long> ended) {
        this.means = means;
        this.plan = plan;
        this.loop = loop;
        this.objectTtlMs = objectTtlMs;
        this.ended = ended;
        this.writer = new BundleWriter(means.allocator());
        this.image = means.controlPlane().image();
    }

    @Override
    public CompletionStage<Long> start() {
        then(
                means.controlPlane()
                        .submit(new Command.PrepareObjects(means.nodeId(), means.nodeEpoch(), 1, objectTtlMs)),
                ids -> {
                    objectId = ids.get(0);
                    readNext();
                },
                this::fail);
        return result;
    }

    private void readNext() {
        MergePlan.StreamMerge merge = plan.streams().get(stream);
        StreamRange range = merge.inputs().get(input);
        ObjectState object = image.object(range.objectId()).orElse(null);
        if (object == null) {
            fail(new IllegalStateException(
                    "object " + range.objectId() + " of stream " + merge.streamId() + " is not in the state (O2)"));
            return;
        }
        then(
                means.objects().bytes(range.objectId(), object.bytes(), range.position(), range.length()),
                bytes -> take(merge, range, bytes),
                failure -> fail(new UnreadableRangeException(merge.streamId(), range, failure)));
    }

    /** Copied: what was read belongs to a cache of blocks, and a small range must not keep a whole block. */
    private void take(MergePlan.StreamMerge merge, StreamRange range, ByteBuf read) {
        ByteBuf copy;
        try {
            copy = means.allocator().directBuffer(read.readableBytes()).writeBytes(read);
        } finally {
            read.release();
        }
        try {
            if (input == 0) {
                writer.stream(merge.streamId());
            }
            BatchPieces.add(range, copy, writer);
        } finally {
            copy.release();
        }
        input++;
        if (input == merge.inputs().size()) {
            input = 0;
            stream++;
        }
        if (stream == plan.streams().size()) {
            put();
        } else {
            readNext();
        }
    }

    private void put() {
        BundleBuilder.Built built = writer.build();
        long bytes = built.body().readableBytes();
        List<Command.MergedRange> merged = merged(built.ranges());
        then(means.store().put(ObjectKeys.key(objectId), built.body()), done -> publish(bytes, merged), this::fail);
    }

    private List<Command.MergedRange> merged(List<BundleBuilder.BuiltRange> built) {
        List<Command.MergedRange> merged = new ArrayList<>();
        for (int i = 0; i < plan.streams().size(); i++) {
            MergePlan.StreamMerge merge = plan.streams().get(i);
            BundleBuilder.BuiltRange range = built.get(i);
            StreamRange last = merge.inputs().get(merge.inputs().size() - 1);
            if (range.streamId() != merge.streamId()
                    || range.baseOffset() != merge.inputs().get(0).baseOffset()
                    || range.endOffset() != last.endOffset()) {
                throw new IllegalStateException("the merge of " + merge + " gave " + range);
            }
            merged.add(new Command.MergedRange(
                    new Command.NewRange(
                            range.streamId(),
                            range.baseOffset(),
                            range.endOffset(),
                            range.position(),
                            range.length(),
                            range.maxEventTimeMs(),
                            range.maxAppendTimeMs()),
                    merge.inputs().stream().map(StreamRange::objectId).toList()));
        }
        return merged;
    }

    private void publish(long bytes, List<Command.MergedRange> merged) {
        then(
                means.controlPlane()
                        .submit(new Command.PublishMerge(means.nodeId(), means.nodeEpoch(), objectId, bytes, merged)),
                done -> {
                    writer.close();
                    ended.accept(plan, bytes);
                    result.complete(bytes);
                },
                this::fail);
    }

    @Override
    public void abandon() {
        writer.close();
    }

    @Override
    public String toString() {
        return "merge of " + plan.streams().size() + " streams";
    }

    private void fail(Throwable failure) {
        writer.close();
        ended.accept(plan, null);
        result.completeExceptionally(failure);
    }

    /** The step after a stage, on the loop; what it throws fails the work. */
    private <T> void then(CompletionStage<T> stage, Consumer<T> step, Consumer<Throwable> failed) {
        stage.whenComplete((value, failure) -> loop.execute(() -> run(value, failure, step, failed)));
    }

    private <T> void run(
            @Nullable T value, @Nullable Throwable failure, Consumer<@Nullable T> step, Consumer<Throwable> failed) {
        try {
            if (failure != null) {
                failed.accept(failure);
            } else {
                step.accept(value);
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            fail(e);
        }
    }
}
