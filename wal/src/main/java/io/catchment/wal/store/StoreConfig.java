package io.catchment.wal.store;

/**
 * @param fileBytes what the longest extent needs: files are preallocated with as much at most
 * @param recycledFilesMax filled files kept for the next extents
 * @param reserveBytes of the disk that only the urgent lane may take
 * @param indexBytesMax memory for indexes of sealed extents; beyond it those not looked at for longest are read from their footers
 */
public record StoreConfig(long fileBytes, int recycledFilesMax, long reserveBytes, long indexBytesMax) {
    public StoreConfig {
        if (fileBytes < 32 << 10 || recycledFilesMax < 0 || reserveBytes < 0 || indexBytesMax < 0) {
            throw new IllegalArgumentException(
                    "store config out of range: file bytes " + fileBytes + ", recycled files " + recycledFilesMax
                            + ", reserve " + reserveBytes + ", index " + indexBytesMax);
        }
    }
}
