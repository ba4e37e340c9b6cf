package io.catchment.broker.bucket;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Immutable. The markers in one bucket. */
public final class OwnerMarkers {
    private final ObjectStore store;

    /** @param store as it is, without {@link OwnedStore} around it */
    public OwnerMarkers(ObjectStore store) {
        this.store = store;
    }

    /** The one that counts; empty if the bucket was never owned. */
    public CompletionStage<Optional<OwnerMarker>> newest() {
        return list().thenCompose(listed ->
                newest(listed).map(this::read).orElseGet(() -> CompletableFuture.completedStage(Optional.empty())));
    }

    /** That one, and those before it down to a generation; in order. */
    public CompletionStage<List<OwnerMarker>> from(long generation) {
        return list().thenCompose(listed -> {
            CompletionStage<List<OwnerMarker>> all = CompletableFuture.completedStage(new ArrayList<>());
            for (Listed each : listed) {
                OptionalLong its = OwnerMarker.generation(each.key());
                if (its.isPresent() && its.getAsLong() >= generation) {
                    all = all.thenCombine(read(each), (markers, marker) -> {
                        marker.ifPresent(markers::add);
                        return markers;
                    });
                }
            }
            return all;
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

    private CompletionStage<Optional<OwnerMarker>> read(Listed marker) {
        return store.get(marker.key(), 0, Math.toIntExact(marker.bytes())).thenApply(body -> {
            try {
                return Optional.of(OwnerMarker.read(marker.key(), body));
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
