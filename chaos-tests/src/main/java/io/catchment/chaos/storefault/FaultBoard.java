package io.catchment.chaos.storefault;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What is to go wrong at the moment. Guarded by its own lock: set by the thread that runs a scenario, asked by connections. The first rule
 * that fits and whose die falls decides. The same seed and the same requests in the same order give the same faults.
 */
public final class FaultBoard {
    private final SplittableRandom random;
    private final List<FaultRule> rules = new ArrayList<>();
    private @Nullable Trap trap;

    FaultBoard(long seed) {
        this.random = new SplittableRandom(seed);
    }

    public synchronized void add(FaultRule rule) {
        rules.add(rule);
    }

    /** No more faults; a trap stays. */
    public synchronized void clear() {
        rules.clear();
    }

    /**
     * @param number 1 for the next request that is wanted
     * @param action is told the port that the client's connection comes from
     */
    public synchronized Trap trap(Trap.Wanted wanted, Trap.Moment moment, int number, IntConsumer action) {
        if (number < 1) {
            throw new IllegalArgumentException("requests are counted from 1");
        }
        Trap set = new Trap(wanted, moment, number, action);
        trap = set;
        return set;
    }

    public synchronized void removeTrap() {
        trap = null;
    }

    synchronized @Nullable Fault fault(RequestKind kind) {
        for (FaultRule rule : rules) {
            if (rule.kinds().contains(kind) && (rule.probability() >= 1 || random.nextDouble() < rule.probability())) {
                return rule.fault();
            }
        }
        return null;
    }

    synchronized @Nullable Trap trapFor(RequestKind kind, String target, long bodyBytes) {
        Trap set = trap;
        return set != null && set.takes(kind, target, bodyBytes) ? set : null;
    }
}
