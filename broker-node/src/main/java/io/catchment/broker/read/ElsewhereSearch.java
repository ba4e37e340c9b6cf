package io.catchment.broker.read;

import io.catchment.broker.read.StreamExtents.Located;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Looks on other nodes' stores for the extent that holds an offset: a few extents at a time, in the order that {@link ExtentLocator#search}
 * asks this node's own. Its steps run one after the other, so the state needs no lock.
 */
final class ElsewhereSearch {
    private static final int ASKED_AT_A_TIME = 8;

    private final StreamExtents extents;
    private final ClusterImage image;
    private final List<ExtentState> candidates;
    private final long streamId;
    private final long offset;
    private final CompletableFuture<Outcome> result = new CompletableFuture<>();
    private int next;
    private @Nullable Throwable failure;

    /**
     * What was found.
     *
     * @param located null if no extent shows the offset
     * @param failure of a holder that might have had it; null if all answered
     */
    record Outcome(@Nullable Located located, @Nullable Throwable failure) {}

    /**
     * @param candidates ascending by id
     * @param after the extent that the reader has read to its end; those that follow it come first
     */
    ElsewhereSearch(
            StreamExtents extents,
            ClusterImage image,
            List<ExtentState> candidates,
            long streamId,
            long offset,
            long after) {
        this.extents = extents;
        this.image = image;
        this.candidates = ordered(candidates, after);
        this.streamId = streamId;
        this.offset = offset;
    }

    private static List<ExtentState> ordered(List<ExtentState> candidates, long after) {
        List<ExtentState> ordered = new ArrayList<>(candidates.size());
        int following = 0;
        if (after >= 0) {
            while (following < candidates.size() && candidates.get(following).extentId() <= after) {
                following++;
            }
            ordered.addAll(candidates.subList(following, candidates.size()));
        } else {
            following = candidates.size();
        }
        for (int i = following - 1; i >= 0; i--) {
            ordered.add(candidates.get(i));
        }
        return ordered;
    }

    /** Never fails. */
    CompletionStage<Outcome> start() {
        step();
        return result;
    }

    private void step() {
        if (next == candidates.size()) {
            result.complete(new Outcome(null, failure));
            return;
        }
        int to = Math.min(candidates.size(), next + ASKED_AT_A_TIME);
        List<CompletableFuture<Optional<Located>>> answers = new ArrayList<>();
        for (ExtentState extent : candidates.subList(next, to)) {
            answers.add(extents.locate(image, extent, streamId, offset).toCompletableFuture());
        }
        next = to;
        CompletionStage<Void> all = CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new));
        all.whenComplete((done, failed) -> {
            if (failed != null) {
                failure = failed;
            }
            for (CompletableFuture<Optional<Located>> answer : answers) {
                if (!answer.isCompletedExceptionally() && answer.join().isPresent()) {
                    result.complete(new Outcome(answer.join().get(), null));
                    return;
                }
            }
            step();
        });
    }
}
