package io.catchment.chaos.nodes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Who was alive and who led what, as somebody saw it who looked again and again. Times are of {@link System#nanoTime}; -1: never. Immutable. */
record LeaderHistory(List<Look> looks) {

    /**
     * One look.
     *
     * @param alive numbers of nodes
     * @param leaders partition to the number of its leader; one without is missing
     */
    record Look(long nanos, List<Integer> alive, Map<Integer, Integer> leaders) {
        long of(int node) {
            return leaders.values().stream().filter(leader -> leader == node).count();
        }
    }

    LeaderHistory {
        looks = List.copyOf(looks);
    }

    /** When the cluster first knew the node as alive, after the given time. */
    long joined(int node, long afterNanos) {
        return first(afterNanos, look -> look.alive.contains(node));
    }

    /** When it first led at least so many. */
    long led(int node, long afterNanos, int partitions) {
        return first(afterNanos, look -> look.of(node) >= partitions);
    }

    /** Since when it has led nothing, for good: one look without it is not enough, since leadership may come back to it until it is removed. */
    long gone(int node, long afterNanos) {
        long since = -1;
        for (Look look : looks) {
            if (look.of(node) > 0) {
                since = -1;
            } else if (since < 0 && look.nanos >= afterNanos) {
                since = look.nanos;
            }
        }
        return since;
    }

    private long first(long after, Predicate<Look> condition) {
        return looks.stream()
                .filter(look -> look.nanos >= after && condition.test(look))
                .mapToLong(Look::nanos)
                .findFirst()
                .orElse(-1);
    }

    /** Partitions whose leader changed in that time. */
    List<Integer> moved(long fromNanos, long toNanos) {
        Map<Integer, Integer> before = new HashMap<>();
        List<Integer> moved = new ArrayList<>();
        for (Look look : looks) {
            if (look.nanos < toNanos) {
                look.leaders.forEach((partition, leader) -> {
                    Integer was = before.put(partition, leader);
                    if (look.nanos >= fromNanos && was != null && !was.equals(leader) && !moved.contains(partition)) {
                        moved.add(partition);
                    }
                });
            }
        }
        return moved;
    }
}
