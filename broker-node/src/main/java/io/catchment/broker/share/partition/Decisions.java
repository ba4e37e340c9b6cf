package io.catchment.broker.share.partition;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidRecordStateException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.server.share.acknowledge.ShareAcknowledgementBatch;
import org.apache.kafka.server.share.fetch.RecordState;

/** What one member says of the records it has: all of it is right, or none of it counts. Owned by the share loop. */
final class Decisions {
    private static final byte GAP = 0;
    private static final byte ACCEPT = 1;
    private static final byte RELEASE = 2;
    private static final byte REJECT = 3;
    private static final byte RENEW = 4;

    private final String partition;
    private final String member;
    private final RecordRuns runs;
    private final ShareLimits limits;
    private final List<RecordRun> decided = new ArrayList<>();
    private final List<RecordRun> renewed = new ArrayList<>();

    private Decisions(String partition, String member, RecordRuns runs, ShareLimits limits) {
        this.partition = partition;
        this.member = member;
        this.runs = runs;
        this.limits = limits;
    }

    /**
     * The runs decided upon have their targets afterwards.
     *
     * @param partition for messages
     * @throws ApiException what the member is to be told; then nothing has changed
     */
    static Decisions of(
            String partition,
            String member,
            RecordRuns runs,
            ShareLimits limits,
            List<ShareAcknowledgementBatch> batches) {
        Decisions decisions = new Decisions(partition, member, runs, limits);
        try {
            batches.forEach(decisions::decide);
        } catch (ApiException refused) {
            decisions.decided.forEach(run -> run.target = null);
            throw refused;
        }
        return decisions;
    }

    /** Releases, acceptances, rejections. */
    List<RecordRun> decided() {
        return decided;
    }

    /** Whose locks are to last longer. */
    List<RecordRun> renewed() {
        return renewed;
    }

    private void decide(ShareAcknowledgementBatch batch) {
        if (batch.lastOffset() >= runs.nextOffset()) {
            throw new InvalidRequestException("Offset " + batch.lastOffset() + " of " + partition
                    + " was not delivered: acknowledged are offsets below " + runs.nextOffset());
        }
        List<Byte> types = batch.acknowledgeTypes();
        long first = batch.firstOffset();
        while (first <= batch.lastOffset()) {
            byte type = type(types, batch, first);
            long last = first;
            while (last < batch.lastOffset() && (types.size() == 1 || type(types, batch, last + 1) == type)) {
                last = types.size() == 1 ? batch.lastOffset() : last + 1;
            }
            decide(first, last, type);
            first = last + 1;
        }
    }

    private static byte type(List<Byte> types, ShareAcknowledgementBatch batch, long offset) {
        return types.size() == 1 ? types.get(0) : types.get((int) (offset - batch.firstOffset()));
    }

    private void decide(long first, long last, byte type) {
        // What lies below the start was let go meanwhile: that is no fault of the member
        for (RecordRun run : runs.between(first, last)) {
            if (!run.isAcquiredBy(member)) {
                throw new InvalidRecordStateException(
                        "Member " + member + " does not have records " + run + " of " + partition + " (any more)");
            }
            if (type == RENEW) {
                if (!limits.renewable()) {
                    throw new InvalidRequestException("Members of " + partition + " may not renew their locks");
                }
                renewed.add(run);
            } else {
                run.target = target(run, type);
                decided.add(run);
            }
        }
    }

    private RecordState target(RecordRun run, byte type) {
        return switch (type) {
            case ACCEPT -> RecordState.ACKNOWLEDGED;
            case GAP, REJECT -> RecordState.ARCHIVED;
            case RELEASE -> run.afterVainDelivery(limits.deliveriesMax());
            default -> throw new InvalidRequestException("Invalid acknowledge type: " + type);
        };
    }
}
