package io.catchment.wal.store;

/**
 * What a scan found in an extent's file.
 *
 * @param validLength end of the last frame of an unbroken, verified run from the start; 0 without frames
 * @param unsyncedFrom from here on it may not be durable yet: where the write that the last of these frames came from began, or before
 * @param provenLength a later frame proves that this much was durable once; above {@code validLength} the extent is corrupt
 */
record ExtentScan(long validLength, long unsyncedFrom, long provenLength, MemoryIndex index) {
    boolean corrupt() {
        return provenLength > validLength;
    }
}
