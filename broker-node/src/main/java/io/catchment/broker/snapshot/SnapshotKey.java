package io.catchment.broker.snapshot;

import java.util.Comparator;
import java.util.Optional;

/**
 * The name of a snapshot of the state: {@code state/GENERATION/OFFSET}, both in 16 hex digits, so that the order of keys is the order of
 * time. Two writers never differ about one name: the state at an offset of a cluster's log is one and the same.
 */
public record SnapshotKey(long generation, long offset) implements Comparable<SnapshotKey> {
    public static final String PREFIX = "state/";

    private static final int HEX = 16;

    public String key() {
        return String.format("%s%016x/%016x", PREFIX, generation, offset);
    }

    /** Empty for a name that is none. */
    public static Optional<SnapshotKey> parse(String key) {
        int slash = PREFIX.length() + HEX;
        if (!key.startsWith(PREFIX) || key.length() != slash + 1 + HEX) {
            return Optional.empty();
        }
        try {
            SnapshotKey parsed = new SnapshotKey(
                    Long.parseLong(key.substring(PREFIX.length(), slash), HEX),
                    Long.parseLong(key.substring(slash + 1), HEX));
            return parsed.key().equals(key) ? Optional.of(parsed) : Optional.empty();
        } catch (NumberFormatException notOurs) {
            return Optional.empty();
        }
    }

    @Override
    public int compareTo(SnapshotKey other) {
        return Comparator.comparingLong(SnapshotKey::generation)
                .thenComparingLong(SnapshotKey::offset)
                .compare(this, other);
    }
}
