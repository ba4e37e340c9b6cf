package io.catchment.broker.read;

import io.catchment.objectstore.ReadClass;

/** Memory for reads below the tail: readers that catch up cannot take what those near the tail need. */
public record ReadBudgets(ReadBudget tail, ReadBudget catchUp) {
    private static final int TAIL_PART = 4;

    /** A quarter is for readers near the tail. */
    public static ReadBudgets ofBytes(long bytes) {
        return new ReadBudgets(new ReadBudget(bytes / TAIL_PART), new ReadBudget(bytes - bytes / TAIL_PART));
    }

    ReadBudget of(ReadClass as) {
        return as == ReadClass.TAIL ? tail : catchUp;
    }

    /** Reads that wait for memory now. */
    public int waiting() {
        return tail.waiting() + catchUp.waiting();
    }
}
