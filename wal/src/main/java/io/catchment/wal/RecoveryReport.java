package io.catchment.wal;

import java.util.List;

/**
 * What became of the extents given to {@link Wal#recover}.
 *
 * @param sealed extents whose final length is recorded now, in the order they were named
 * @param waiting extents that could not be decided: nothing was guessed, their streams stay unavailable
 */
public record RecoveryReport(List<Sealed> sealed, List<Waiting> waiting) {

    public RecoveryReport {
        sealed = List.copyOf(sealed);
        waiting = List.copyOf(waiting);
    }

    /** @param length final, in bytes; 0 for an extent without frames */
    public record Sealed(long extentId, long length, List<StoreRef> holders) {}

    /**
     * @param missing ensemble stores that did not answer
     * @param mayAnswer one of them was silent, as one is whose disk stands still: what it has may be had yet
     * @param reason for people: which store is lost, or what is corrupt
     */
    public record Waiting(long extentId, List<StoreRef> missing, boolean mayAnswer, String reason) {}
}
