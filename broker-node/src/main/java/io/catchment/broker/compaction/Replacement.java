package io.catchment.broker.compaction;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.BundleBuilder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts a compacted group under an id of its own and into the place of its inputs, by one command. A crash at any step leaves at most an object whose
 * id expires (O3).
 */
final class Replacement {
    private final MergeMeans means;
    private final long objectTtlMs;
    private final long streamId;
    private final CompactedGroup group;
    private final long cleanedTo;
    private final CompletableFuture<Long> result = new CompletableFuture<>();

    /** @param cleanedTo with it all keys below are seen; 0: groups follow */
    Replacement(MergeMeans means, long objectTtlMs, long streamId, CompactedGroup group, long cleanedTo) {
        this.means = means;
        this.objectTtlMs = objectTtlMs;
        this.streamId = streamId;
        this.group = group;
        this.cleanedTo = cleanedTo;
    }

    /** Done, on the loop, with the bytes of the object; fails when the inputs are not current any more. */
    CompletionStage<Long> publish(SerialLoop loop) {
        Command.PrepareObjects prepare = new Command.PrepareObjects(means.nodeId(), means.nodeEpoch(), 1, objectTtlMs);
        then(loop, means.controlPlane().submit(prepare), ids -> put(loop, ids.get(0)));
        return result;
    }

    private void put(SerialLoop loop, long objectId) {
        BundleBuilder.Built built = group.build();
        long bytes = built.body().readableBytes();
        Command.PublishMerge command = new Command.PublishMerge(
                means.nodeId(), means.nodeEpoch(), objectId, bytes, List.of(replacing(built.ranges())));
        then(
                loop,
                means.uploader().put(objectId, built.body()),
                stored -> then(loop, publish(command), published -> finish(objectId, bytes)));
    }

    private CompletionStage<Command.Done> publish(Command.PublishMerge command) {
        return means.controlPlane().submit(command).whenComplete((done, failure) -> {
            if (failure != null) {
                means.uploader().notPublished(command.objectId(), failure);
            }
        });
    }

    private Command.MergedRange replacing(List<BundleBuilder.BuiltRange> built) {
        List<StreamRange> inputs = group.inputs();
        BundleBuilder.BuiltRange range = built.get(0);
        if (built.size() != 1
                || range.baseOffset() != inputs.get(0).baseOffset()
                || range.endOffset() != inputs.get(inputs.size() - 1).endOffset()) {
            throw new IllegalStateException(
                    "the compaction of stream " + streamId + " made " + built + " of " + inputs);
        }
        return new Command.MergedRange(
                new Command.NewRange(
                        streamId,
                        range.baseOffset(),
                        range.endOffset(),
                        range.position(),
                        range.length(),
                        range.maxEventTimeMs(),
                        range.maxAppendTimeMs()),
                inputs.stream().map(StreamRange::objectId).toList(),
                cleanedTo);
    }

    /** The image is as new as the command. */
    private void finish(long objectId, long bytes) {
        boolean replaced = means.controlPlane().image().stream(streamId)
                .flatMap(stream -> stream.range(group.inputs().get(0).baseOffset()))
                .filter(range -> range.objectId() == objectId)
                .isPresent();
        if (replaced) {
            result.complete(bytes);
        } else {
            result.completeExceptionally(
                    new IllegalStateException("the ranges of stream " + streamId + " changed meanwhile"));
        }
    }

    private <T> void then(SerialLoop loop, CompletionStage<T> stage, Consumer<T> step) {
        stage.whenComplete((value, failure) -> loop.execute(() -> run(value, failure, step)));
    }

    private <T> void run(@Nullable T value, @Nullable Throwable failure, Consumer<@Nullable T> step) {
        try {
            if (failure != null) {
                result.completeExceptionally(failure);
            } else {
                step.accept(value);
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            result.completeExceptionally(e);
        }
    }
}
