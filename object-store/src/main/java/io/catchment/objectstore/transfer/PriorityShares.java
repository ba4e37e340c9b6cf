package io.catchment.objectstore.transfer;

import java.util.Arrays;

/**
 * Owned by whoever schedules; not thread-safe. Whose turn it is among classes by rank, 0 first: the first that has something waiting, but for
 * least shares. While a class waits and others are served it gathers credit, its share of what they cost; once that pays for what it
 * has next, it goes before its rank. So nobody starves, and of many waiting the first rank gets all that is not others' least share.
 */
public final class PriorityShares {
    /** What a class may save up at least: else one that could not be served for long would then keep out all others. */
    private static final double CREDIT_MAX = 512 << 20;

    private final double[] sharesMin;
    private final double[] credit;

    /** @param sharesMin by rank, 0 to 1, below 1 together; the first rank's does not matter */
    public PriorityShares(double... sharesMin) {
        double sum = 0;
        for (double share : sharesMin) {
            if (!(share >= 0)) {
                throw new IllegalArgumentException("least shares " + Arrays.toString(sharesMin));
            }
            sum += share;
        }
        if (sharesMin.length == 0 || sum >= 1) {
            throw new IllegalArgumentException(
                    "least shares " + Arrays.toString(sharesMin) + " are 1 or more together");
        }
        this.sharesMin = sharesMin.clone();
        this.credit = new double[sharesMin.length];
    }

    /**
     * Whose turn it is, served at once; -1 if nobody's.
     *
     * @param costs by rank, of what each would have served next; negative when nothing waits
     * @param ready by rank, whether it could be served now
     */
    public int next(long[] costs, boolean[] ready) {
        int first = -1;
        int paid = -1;
        for (int rank = 0; rank < credit.length; rank++) {
            if (costs[rank] < 0) {
                credit[rank] = 0;
            } else if (ready[rank]) {
                first = first < 0 ? rank : first;
                paid = paid < 0 && rank != first && credit[rank] >= costs[rank] ? rank : paid;
            }
        }
        int turn = paid < 0 ? first : paid;
        if (turn >= 0) {
            served(turn, paid >= 0, costs);
        }
        return turn;
    }

    private void served(int turn, boolean fromCredit, long[] costs) {
        if (fromCredit) {
            credit[turn] -= costs[turn];
        }
        for (int rank = 0; rank < credit.length; rank++) {
            if (costs[rank] >= 0) {
                double most = Math.max(CREDIT_MAX, 2.0 * costs[rank]);
                credit[rank] = Math.min(most, credit[rank] + sharesMin[rank] * costs[turn]);
            }
        }
    }
}
