package io.catchment.broker.recover;

import io.catchment.broker.flush.BundleEntries;
import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.archive.Restoration;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.bundle.BundleFooter;
import io.catchment.objectstore.cache.FooterLoader;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Used once, by one thread, which it blocks. Gives a restoration the objects of a bucket, and the footers that it wants of them. */
final class FooterScan {
    private static final Logger log = LoggerFactory.getLogger(FooterScan.class);
    private static final int READS_MAX = 32;
    /** Of keys, see {@link ObjectKeys#key}: one list of a large bucket would take longer than a request may. */
    private static final int HASHES = 256;

    private static final int LISTS_MAX = 8;

    private final ObjectStore store;
    private final FooterLoader footers;
    private final Deque<Reading> readings = new ArrayDeque<>();

    private record Reading(long objectId, CompletableFuture<BundleFooter> footer) {}

    FooterScan(ObjectStore store, ScheduledExecutorService timer) {
        this.store = store;
        this.footers = new FooterLoader(store, timer);
    }

    /**
     * Objects that are gone by the time they are read, or are broken, are left out.
     *
     * @throws ExecutionException when the store does not answer: what is not known must not be taken for not there
     */
    void into(Restoration restoration) throws ExecutionException, InterruptedException {
        Deque<CompletableFuture<List<Listed>>> lists = new ArrayDeque<>();
        for (int hash = 0; hash < HASHES; hash++) {
            lists.add(store.list(String.format("%s%02x/", ObjectKeys.PREFIX, hash))
                    .toCompletableFuture());
            if (lists.size() >= LISTS_MAX) {
                take(lists.remove().get(), restoration);
            }
        }
        while (!lists.isEmpty()) {
            take(lists.remove().get(), restoration);
        }
        while (!readings.isEmpty()) {
            takeOldest(restoration);
        }
    }

    private void take(List<Listed> objects, Restoration restoration) throws ExecutionException, InterruptedException {
        for (Listed object : objects) {
            OptionalLong id = ObjectKeys.objectId(object.key());
            if (id.isPresent() && restoration.listed(id.getAsLong(), object.bytes())) {
                readings.add(new Reading(id.getAsLong(), footers.load(id.getAsLong(), object.bytes())));
                if (readings.size() >= READS_MAX) {
                    takeOldest(restoration);
                }
            }
        }
    }

    private void takeOldest(Restoration restoration) throws ExecutionException, InterruptedException {
        Reading oldest = readings.remove();
        BundleFooter footer;
        try {
            footer = oldest.footer().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ObjectStoreException known
                    && (known.reason() == ObjectStoreException.Reason.NOT_FOUND
                            || known.reason() == ObjectStoreException.Reason.CORRUPT)) {
                log.warn(
                        "Object {} was written after the state, and is left out: {}",
                        ObjectKeys.key(oldest.objectId()),
                        known.getMessage());
                return;
            }
            throw e;
        }
        restoration.found(oldest.objectId(), ranges(footer), checkpoints(footer));
    }

    private static List<NewRange> ranges(BundleFooter footer) {
        return IntStream.range(0, footer.rangeCount())
                .mapToObj(footer::range)
                .map(BundleEntries::range)
                .toList();
    }

    private static List<NewCheckpoint> checkpoints(BundleFooter footer) {
        return footer.checkpoints().stream().map(BundleEntries::checkpoint).toList();
    }
}
