package io.catchment.chaos.nodes;

/**
 * The load of a scenario.
 *
 * @param recordsPerSecond over all producers; each partition gets the same share
 * @param groups two consumer groups, one of each protocol, follow at the tail as well
 */
public record Shape(int partitions, int producers, int recordsPerSecond, int valueBytes, boolean groups, long seed) {
    public Shape {
        if (partitions < 1 || producers < 1 || recordsPerSecond < 1 || valueBytes < 16) {
            throw new IllegalArgumentException("partitions, producers and rate from 1, values from 16 bytes");
        }
    }

    /** How long a partition waits for its next record when nothing is wrong; several producers do not take turns. */
    double intervalMs() {
        return 1000.0 * partitions * producers / recordsPerSecond;
    }
}
