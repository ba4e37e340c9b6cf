package io.catchment.broker.verify;

/**
 * What a comparison of the catalog with the object store found.
 *
 * @param published in the catalog and its manifests
 * @param listed in the store, whatever it is
 * @param pending objects in the store whose upload or publishing is under way
 * @param doomed objects in the store that will be deleted in their time
 * @param missing published ones that the store does not have: their records are lost unless extents still hold them
 * @param wrongSize published ones of which the store has another number of bytes
 * @param orphans in the store under an id that the control plane does not know, or no longer: nobody would ever delete them
 * @param unissuedOrphans those of the orphans whose id was never given out: another cluster's, or the catalog is older than the store
 * @param deletedOrphans those of the orphans that were deleted after they were found
 * @param foreign keys below {@code objects/} that this program does not make
 * @param dangling references of streams to objects that are not published
 */
public record StoreReport(
        Amount published,
        Amount listed,
        long pending,
        long doomed,
        Findings<Stored> missing,
        Findings<WrongSize> wrongSize,
        Findings<Stored> orphans,
        long unissuedOrphans,
        long deletedOrphans,
        Findings<Stored> foreign,
        Findings<Dangling> dangling) {

    public record Amount(long objects, long bytes) {}

    /** @param bytes of a missing object: those that it should have */
    public record Stored(String key, long bytes) {}

    public record WrongSize(String key, long catalogBytes, long storeBytes) {}

    /** @param offset where the range begins, or of the checkpoint */
    public record Dangling(String topic, int partition, Kind kind, long offset, long objectId) {
        /** What refers to the object. */
        public enum Kind {
            RANGE,
            CHECKPOINT,
            MANIFEST
        }
    }

    /** Nothing is lost and nothing leaks. Objects of others below our prefix are strange, but harmless. */
    public boolean clean() {
        return missing.total() == 0
                && wrongSize.total() == 0
                && dangling.total() == 0
                && orphans.total() == deletedOrphans;
    }
}
