package io.catchment.broker.share.partition;

/** Consecutive records that a member got. */
public record Acquired(long firstOffset, long lastOffset, int deliveryCount) {
    public long size() {
        return lastOffset - firstOffset + 1;
    }
}
