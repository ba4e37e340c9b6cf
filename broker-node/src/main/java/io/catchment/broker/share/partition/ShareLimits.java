package io.catchment.broker.share.partition;

/**
 * What a share group is configured to, now.
 *
 * @param inFlightMax records of one partition under way
 * @param deliveriesMax of one record; after that many it is archived
 * @param lockMs for which a member may keep a record without a word
 * @param renewable whether members may ask for more time (KIP-1222)
 */
public record ShareLimits(int inFlightMax, int deliveriesMax, int lockMs, boolean renewable) {}
