package io.catchment.wal.store;

import io.catchment.wal.Lane;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** What a store holds, by id. Thread-safe; touches no disk. */
final class Extents {
    private final ConcurrentSkipListMap<Long, StoredExtent> extents = new ConcurrentSkipListMap<>();

    void add(StoredExtent extent) {
        extents.put(extent.extentId, extent);
    }

    void addIfAbsent(StoredExtent extent) {
        extents.putIfAbsent(extent.extentId, extent);
    }

    @Nullable
    StoredExtent get(long extentId) {
        return extents.get(extentId);
    }

    StoredExtent held(long extentId) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent == null) {
            throw new NoSuchFileException("extent " + extentId + " is not in this WAL directory");
        }
        return extent;
    }

    /** One that a recovery copies here, from its beginning if it is not here yet. */
    StoredExtent heldOrNew(long extentId) {
        return extents.computeIfAbsent(extentId, id -> new StoredExtent(id, StoredExtent.State.UNSETTLED, ""));
    }

    /** Answers what was here of the extent before. */
    @Nullable
    StoredExtent replace(StoredExtent extent) {
        return extents.put(extent.extentId, extent);
    }

    @Nullable
    StoredExtent remove(long extentId) {
        return extents.remove(extentId);
    }

    boolean isHere(StoredExtent extent) {
        return extents.get(extent.extentId) == extent;
    }

    Set<Long> idSet() {
        return extents.keySet();
    }

    Collection<StoredExtent> all() {
        return extents.values();
    }

    /** Ascending. */
    List<Long> ids() {
        return List.copyOf(extents.keySet());
    }

    /** Of an earlier run without a final length yet, and those whose bytes are damaged or in doubt. */
    List<Long> unsettled() {
        return extents.values().stream()
                .filter(extent -> extent.state == StoredExtent.State.UNSETTLED
                        || extent.state == StoredExtent.State.CORRUPT
                        || extent.doubted)
                .map(extent -> extent.extentId)
                .toList();
    }

    OptionalLong visibleLength(long extentId) {
        StoredExtent extent = extents.get(extentId);
        return extent == null || !served(extent) ? OptionalLong.empty() : OptionalLong.of(extent.visibleLength());
    }

    /** An extent that may be read, retained: the caller releases it. */
    Optional<StoredExtent> acquire(long extentId) {
        StoredExtent extent = extents.get(extentId);
        return extent != null && served(extent) && extent.retain() ? Optional.of(extent) : Optional.empty();
    }

    private static boolean served(StoredExtent extent) {
        return extent.state == StoredExtent.State.OPEN || extent.state == StoredExtent.State.SETTLED;
    }

    int count(boolean open) {
        return (int) extents.values().stream()
                .filter(extent -> (extent.state == StoredExtent.State.OPEN) == open)
                .count();
    }

    long bytesHeld() {
        return extents.values().stream()
                .mapToLong(extent -> extent.durableLength)
                .sum();
    }

    /** The longest that is being written in a lane. */
    long longestOpen(Lane lane) {
        return extents.values().stream()
                .filter(extent -> extent.state == StoredExtent.State.OPEN && extent.lane == lane)
                .mapToLong(extent -> extent.durableLength)
                .max()
                .orElse(0);
    }
}
