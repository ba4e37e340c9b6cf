package io.catchment.broker.merge;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.bundle.BundleWriter;
import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One plan carried out: reads the inputs, object by object, then for each object takes an id, builds it in memory, puts it and publishes
 * it. Owned by the loop; used once. A crash at any step leaves at most an object whose id expires (O3); the catalog changes in one command
 * for each object, by which every stream's inputs are still current or that stream stays as it is.
 */
final class MergeWork implements RewriteStep {
    private final MergeMeans means;
    private final MergePlan plan;
    private final List<List<StreamMerge>> outputs;
    private final SerialLoop loop;
    private final long objectTtlMs;
    private final BiConsumer<List<StreamMerge>, @Nullable Long> told;
    private final MergeInputs inputs;
    private final CompletableFuture<Long> result = new CompletableFuture<>();
    private BundleWriter writer;
    private long bytesWritten;
    private int output;

    /** @param told hears, on the loop, of each object with its bytes; null: it failed, and has no more of them */
    MergeWork(
            MergeMeans means,
            MergePlan plan,
            MergeSettings settings,
            SerialLoop loop,
            BiConsumer<List<StreamMerge>, @Nullable Long> told) {
        this.means = means;
        this.plan = plan;
        this.outputs = plan.outputs(settings.outputBytesMax());
        this.loop = loop;
        this.objectTtlMs = settings.objectTtlMs();
        this.told = told;
        this.writer = new BundleWriter(means.allocator());
        this.inputs = new MergeInputs(
                plan,
                means.controlPlane().image(),
                new RangeStash(means.allocator(), settings.outputBytesMax() / 4, means.scratch()));
    }

    @Override
    public CompletionStage<Long> start() {
        readNext();
        return result;
    }

    @Override
    public Set<Long> readWhole() {
        return plan.streams().stream().map(StreamMerge::streamId).collect(Collectors.toSet());
    }

    private void readNext() {
        MergeInputs.Run run = inputs.next();
        if (run == null) {
            prepare();
        } else if (run.objectBytes() < 0) {
            fail(new IllegalStateException(
                    "object " + run.objectId() + " of stream " + run.first().streamId() + " is not in the state (O2)"));
        } else {
            then(
                    means.objects().bytes(run.objectId(), run.objectBytes(), run.position(), run.length()),
                    this::take,
                    failure -> notRead(run.first(), failure));
        }
    }

    private void notRead(MergeInputs.Input first, Throwable failure) {
        if (inputs.split()) {
            readNext();
        } else {
            fail(new UnreadableRangeException(first.streamId(), first.range(), failure));
        }
    }

    private void take(ByteBuf read) {
        try {
            inputs.read(read);
        } finally {
            read.release();
        }
        readNext();
    }

    /** An id at a time: the last objects may have to wait for long. */
    private void prepare() {
        then(
                means.controlPlane()
                        .submit(new Command.PrepareObjects(means.nodeId(), means.nodeEpoch(), 1, objectTtlMs)),
                ids -> build(ids.get(0)),
                this::fail);
    }

    private void build(long objectId) {
        List<StreamMerge> merges = outputs.get(output);
        for (StreamMerge merge : merges) {
            writer.stream(merge.streamId());
            for (StreamRange range : merge.inputs()) {
                ByteBuf bytes = inputs.take(merge.streamId(), range);
                try {
                    BatchPieces.add(range, bytes, writer);
                } finally {
                    bytes.release();
                }
            }
        }
        BundleBuilder.Built built = writer.build();
        long bytes = built.body().readableBytes();
        List<Command.MergedRange> merged = merged(merges, built.ranges());
        then(means.uploader().put(objectId, built.body()), done -> publish(objectId, bytes, merged), this::fail);
    }

    private static List<Command.MergedRange> merged(List<StreamMerge> merges, List<BundleBuilder.BuiltRange> built) {
        List<Command.MergedRange> merged = new ArrayList<>();
        for (int i = 0; i < merges.size(); i++) {
            StreamMerge merge = merges.get(i);
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

    private void publish(long objectId, long bytes, List<Command.MergedRange> merged) {
        then(
                means.controlPlane()
                        .submit(new Command.PublishMerge(means.nodeId(), means.nodeEpoch(), objectId, bytes, merged)),
                done -> published(bytes),
                failure -> {
                    means.uploader().notPublished(objectId, failure);
                    fail(failure);
                });
    }

    private void published(long bytes) {
        writer.close();
        bytesWritten += bytes;
        told.accept(outputs.get(output), bytes);
        output++;
        if (output == outputs.size()) {
            inputs.release();
            result.complete(bytesWritten);
        } else {
            writer = new BundleWriter(means.allocator());
            prepare();
        }
    }

    @Override
    public void abandon() {
        writer.close();
        inputs.release();
    }

    @Override
    public String toString() {
        return "merge of " + plan.streams().size() + " streams";
    }

    private void fail(Throwable failure) {
        writer.close();
        inputs.release();
        told.accept(plan.streams(), null);
        result.completeExceptionally(failure);
    }

    /** The step after a stage, on the loop; what it throws fails the work. After the loop's end nobody takes what was read. */
    private <T> void then(CompletionStage<T> stage, Consumer<T> step, Consumer<Throwable> failed) {
        stage.whenComplete((value, failure) ->
                loop.execute(() -> run(value, failure, step, failed), () -> ReferenceCountUtil.release(value)));
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
