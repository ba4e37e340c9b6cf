package io.catchment.broker.bucket;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Immutable. The markers in one bucket. */
public final class OwnerMarkers {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerMarkers.class);

    private final ObjectStore store;

    /** @param store as it is, without {@link OwnedStore} around it */
    public OwnerMarkers(ObjectStore store) {
        this.store = store;
    }

    /** The one that counts; empty if the bucket was never owned. */
    public CompletionStage<Optional<OwnerMarker>> newest() {
        return list().thenCompose(listed -> newest(listed)
                .map(newest -> read(newest).thenApply(Optional::of))
                .orElseGet(() -> CompletableFuture.completedStage(Optional.empty())));
    }

    /**
     * For how long any owner from a generation on may begin to write without a look; 0 if there is none. For one whose marker cannot be read, as
     * long as any owner may.
     */
    public CompletionStage<Long> longestValidityMs(long generation) {
        return list().thenCompose(listed -> {
            CompletionStage<Long> longest = CompletableFuture.completedStage(0L);
            for (Listed each : listed) {
                OptionalLong its = OwnerMarker.generation(each.key());
                if (its.isPresent() && its.getAsLong() >= generation) {
                    longest = longest.thenCombine(validityMs(each), Long::max);
                }
            }
            return longest;
        });
    }

    private CompletionStage<Long> validityMs(Listed marker) {
        return read(marker).thenApply(OwnerMarker::validityMs).exceptionallyCompose(failure -> {
            if (cause(failure) instanceof ObjectStoreException known && known.reason() == Reason.CORRUPT) {
                LOG.error(
                        "The marker {} cannot be read. It only says how long an earlier owner may still be writing, and none"
                                + " may for more than {} ms",
                        marker.key(),
                        BucketOwner.VALIDITY_MS_MAX);
                return CompletableFuture.completedStage(BucketOwner.VALIDITY_MS_MAX);
            }
            return CompletableFuture.failedStage(failure);
        });
    }

    /** Of the one that counts. */
    CompletionStage<OptionalLong> newestGeneration() {
        return list().thenApply(listed ->
                newest(listed).map(found -> OwnerMarker.generation(found.key())).orElse(OptionalLong.empty()));
    }

    /**
     * Makes the marker, unless there is one of its generation. Answers the one that counts then: whoever it names has won. A put of
     * unknown fate is settled by the look that follows it.
     */
    public CompletionStage<OwnerMarker> claim(OwnerMarker wanted) {
        return store.putIfAbsent(wanted.key(), wanted.body())
                .exceptionallyCompose(failure -> {
                    boolean open = cause(failure) instanceof ObjectStoreException known
                            && (known.reason() == Reason.ALREADY_EXISTS || known.retriable());
                    return open ? CompletableFuture.completedStage(null) : CompletableFuture.failedStage(failure);
                })
                .thenCompose(done -> newest())
                .thenApply(newest -> newest.orElseThrow(() -> new ObjectStoreException(
                        Reason.TRANSIENT, "the marker " + wanted.key() + " was not written", null)));
    }

    private CompletionStage<List<Listed>> list() {
        return store.list(OwnerMarker.PREFIX);
    }

    private CompletionStage<OwnerMarker> read(Listed marker) {
        return store.get(marker.key(), 0, Math.toIntExact(marker.bytes())).thenApply(body -> {
            try {
                return OwnerMarker.read(marker.key(), body);
            } finally {
                body.release();
            }
        });
    }

    /** Keys come in order, and generations are in fixed width. */
    private static Optional<Listed> newest(List<Listed> listed) {
        return listed.stream()
                .filter(each -> OwnerMarker.generation(each.key()).isPresent())
                .reduce((earlier, later) -> later);
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
