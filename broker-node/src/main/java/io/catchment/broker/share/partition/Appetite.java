package io.catchment.broker.share.partition;

/**
 * How much a member wants.
 *
 * @param recordsMax what is begun of a record batch is taken whole, unless {@code strict}
 * @param batchSize records that the member likes to acknowledge together
 * @param strict never more than {@code recordsMax} (KIP-1206)
 */
public record Appetite(int recordsMax, int batchSize, boolean strict) {
    public Appetite lessBy(long records) {
        return new Appetite((int) Math.max(0, recordsMax - records), batchSize, strict);
    }
}
