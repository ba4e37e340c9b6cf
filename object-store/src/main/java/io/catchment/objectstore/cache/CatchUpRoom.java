package io.catchment.objectstore.cache;

/** How many loads of readers that catch up may run at a time. Thread-safe; asked before each of them, so an answer must cost nothing. */
@FunctionalInterface
public interface CatchUpRoom {
    /** As many as there are. */
    CatchUpRoom ALL = max -> max;

    /**
     * @param max what the reader's bounds allow
     * @return from 1 to {@code max}
     */
    int loads(int max);
}
