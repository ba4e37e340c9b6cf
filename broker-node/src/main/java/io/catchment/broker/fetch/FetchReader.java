package io.catchment.broker.fetch;

import io.catchment.broker.near.NearReads;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.requests.FetchRequest;
import org.jspecify.annotations.Nullable;

/**
 * Who fetches.
 *
 * @param follows it is a node that wants to know how far streams are, and no records
 * @param rack of a consumer that says so, else empty
 * @param near where streams of other nodes are found, if this consumer may read them here: it is in this node's zone; else null
 * @param isFromElsewhere a consumer in another zone, which may have a node nearer than this one
 */
record FetchReader(
        boolean readCommitted,
        boolean follows,
        String rack,
        @Nullable NearReads near,
        boolean isFromElsewhere) {

    /** The rack is known from version 11 on (KIP-392); in older requests it is empty. */
    static FetchReader of(FetchRequest request, NearReads near) {
        boolean follows = request.isFromFollower();
        String rack = near.enabled() && !follows ? request.rackId() : "";
        boolean here = !rack.isEmpty() && near.isHere(rack);
        return new FetchReader(
                Isolation.of(request::isolationLevel) == IsolationLevel.READ_COMMITTED,
                follows,
                rack,
                here ? near : null,
                !rack.isEmpty() && !here);
    }
}
