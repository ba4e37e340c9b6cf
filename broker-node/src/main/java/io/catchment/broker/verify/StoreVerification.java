package io.catchment.broker.verify;

import io.catchment.broker.manifest.Manifests;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.OwnedRange;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.manifest.ManifestLoader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Immutable. Holds the object store against the catalog, in both directions, while the cluster goes on working.
 *
 * <p>The order makes the answer certain: an image, a listing, an image, and a second listing if there are suspects. Each image is taken
 * behind a barrier, so it has all that was committed before. An id is in the state from before its upload until after its deletion
 * (O3), and none is given out twice. So an object that is in both listings was there when the image between them was taken, and if
 * that image does not have its id, nor a manifest of it, nobody ever will again: it is an orphan. The pause before the second listing is for uploaders that
 * are about to delete what they ended too late.
 */
public final class StoreVerification {
    private static final int DELETE_BATCH_MAX = 500;
    /** Manifests read at a time. */
    private static final int READS_MAX = 16;

    private final Supplier<ClusterImage> image;
    private final Supplier<CompletionStage<Void>> barrier;
    private final ObjectStore store;
    private final Executor executor;
    private final long pauseMs;
    private final int shownMax;

    /**
     * @param image the newest that this node has
     * @param barrier after which it has all that was committed before
     * @param executor where large catalogs are compared
     * @param pauseMs between the two listings
     * @param shownMax of each kind of finding; all are counted
     */
    public StoreVerification(
            Supplier<ClusterImage> image,
            Supplier<CompletionStage<Void>> barrier,
            ObjectStore store,
            Executor executor,
            long pauseMs,
            int shownMax) {
        this.image = image;
        this.barrier = barrier;
        this.store = store;
        this.executor = executor;
        this.pauseMs = pauseMs;
        this.shownMax = shownMax;
    }

    /**
     * Fails with {@link io.catchment.objectstore.ObjectStoreException} or {@link io.catchment.controlplane.CommandException} when there is
     * no certain answer. Orphans may have been deleted even then.
     *
     * @param deleteOrphans those of ids that were given out once; an id that was not yet may be used by an upload that begins now
     */
    public CompletionStage<StoreReport> verify(boolean deleteOrphans) {
        return CompletableFuture.supplyAsync(this::newestImage, executor)
                .thenCompose(asked -> asked)
                .thenCompose(
                        before -> list().thenCompose(listed -> newestImage().thenCompose(after -> owned(after)
                                .thenApplyAsync(owned -> Comparison.of(before, listed, after, owned), executor))))
                .thenCompose(comparison ->
                        orphans(comparison).thenCompose(orphans -> finish(comparison, orphans, deleteOrphans)));
    }

    private CompletionStage<ClusterImage> newestImage() {
        return barrier.get().thenApply(done -> image.get());
    }

    /**
     * What all manifests of the image list, some of them read at a time. Fails if one cannot be read: what it lists would be taken for
     * orphans.
     */
    private CompletionStage<List<OwnedRange>> owned(ClusterImage image) {
        List<ManifestRef> refs = new ArrayList<>(image.retiredManifests());
        image.streams().forEach(stream -> refs.addAll(stream.manifests()));
        ManifestLoader loader = new ManifestLoader(store, () -> {});
        List<OwnedRange> owned = new ArrayList<>();
        CompletionStage<?> done = CompletableFuture.completedFuture(null);
        for (int from = 0; from < refs.size(); from += READS_MAX) {
            List<ManifestRef> some = refs.subList(from, Math.min(refs.size(), from + READS_MAX));
            done = done.thenComposeAsync(before -> read(loader, image, some), executor)
                    .thenAccept(lists -> lists.forEach(owned::addAll));
        }
        return done.thenApply(all -> owned);
    }

    private static CompletionStage<List<List<OwnedRange>>> read(
            ManifestLoader loader, ClusterImage image, List<ManifestRef> refs) {
        List<CompletableFuture<List<OwnedRange>>> reads = new ArrayList<>();
        for (ManifestRef ref : refs) {
            // One that is not in the image is told of as dangling
            image.object(ref.objectId())
                    .ifPresent(object -> reads.add(loader.load(ref.objectId(), object.bytes())
                            .thenApply(manifest -> Manifests.ranges(manifest, ref))));
        }
        return CompletableFuture.allOf(reads.toArray(CompletableFuture[]::new))
                .thenApply(all -> reads.stream().map(CompletableFuture::join).toList());
    }

    private CompletionStage<List<Listed>> list() {
        return store.list(ObjectKeys.PREFIX);
    }

    /** Those suspects that are still there a moment later. A second listing is made only if there are any. */
    private CompletionStage<List<Listed>> orphans(Comparison comparison) {
        List<Listed> suspects = comparison.suspects();
        if (suspects.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        Executor later = CompletableFuture.delayedExecutor(pauseMs, TimeUnit.MILLISECONDS, executor);
        return CompletableFuture.supplyAsync(this::list, later)
                .thenCompose(asked -> asked)
                .thenApplyAsync(again -> inBoth(suspects, again), executor);
    }

    private static List<Listed> inBoth(List<Listed> suspects, List<Listed> again) {
        Set<String> keys = new HashSet<>();
        again.forEach(object -> keys.add(object.key()));
        return suspects.stream().filter(object -> keys.contains(object.key())).toList();
    }

    private CompletionStage<StoreReport> finish(Comparison comparison, List<Listed> orphans, boolean deleteOrphans) {
        List<String> due = deleteOrphans
                ? orphans.stream()
                        .filter(orphan -> !comparison.isUnissued(orphan))
                        .map(Listed::key)
                        .toList()
                : List.of();
        CompletionStage<Integer> deleted = CompletableFuture.completedFuture(0);
        for (int from = 0; from < due.size(); from += DELETE_BATCH_MAX) {
            List<String> batch = due.subList(from, Math.min(due.size(), from + DELETE_BATCH_MAX));
            deleted = deleted.thenCompose(sum -> store.delete(batch).thenApply(done -> sum + batch.size()));
        }
        return deleted.thenApply(count -> comparison.report(orphans, count, shownMax));
    }
}
