package io.catchment.broker.transaction;

import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;

/** What a producer goes on with after its identity was asked for or its transaction ended: an id and an epoch, or an error. */
public record Identity(Errors error, long producerId, short producerEpoch) {
    static Identity failed(Errors error) {
        return new Identity(error, RecordBatch.NO_PRODUCER_ID, RecordBatch.NO_PRODUCER_EPOCH);
    }
}
