package io.catchment.objectstore.transfer;

/**
 * Who a transfer is for, the first before the others. A class that others go before still gets its least share of what is transferred
 * ({@link PriorityShares}), and cannot take all places: what runs is not interrupted, so some are left for those before it.
 */
public enum TransferClass {
    FLUSH_URGENT(0, 0, 1),
    FLUSH_NORMAL(1, 0.15, 0.75),
    FLUSH_BULK(2, 0.05, 0.5),
    /** Of readers at the end of their streams, of queries, and of whoever takes a stream over. */
    TAIL_READ(3, 0.15, 1),
    CATCH_UP_READ(4, 0.1, 0.75),
    /** Merges, compaction, and what else nobody waits for. */
    BACKGROUND(5, 0.05, 0.5);

    private final int rank;
    private final double shareMin;
    private final double placesPart;

    TransferClass(int rank, double shareMin, double placesPart) {
        this.rank = rank;
        this.shareMin = shareMin;
        this.placesPart = placesPart;
    }

    /** 0 goes first. */
    int rank() {
        return rank;
    }

    /** Of the bytes while others go before, 0 to 1. */
    public double shareMin() {
        return shareMin;
    }

    /** How many of the places of one direction it, and all that may take as many or fewer, may take together. */
    int placesMax(int places) {
        return (int) Math.max(1, Math.floor(places * placesPart));
    }

    boolean mayTakeAsManyAs(TransferClass other) {
        return placesPart >= other.placesPart;
    }

    static double[] sharesMin() {
        TransferClass[] all = values();
        double[] shares = new double[all.length];
        for (TransferClass each : all) {
            shares[each.rank] = each.shareMin;
        }
        return shares;
    }
}
