package io.catchment.broker.partition;

import java.util.List;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ProduceResponse.RecordError;
import org.jspecify.annotations.Nullable;

/**
 * Hears how an append ended, once for each {@code slot}, on the partition's event loop. A failed append may still become
 * acknowledged later (as in Kafka, a retriable error does not say that nothing was written).
 */
public interface AppendCompletion {

    /** Quorum-durable and visible. {@code logAppendTimeMs} is -1 unless the topic stamps batches on arrival. */
    void acknowledged(int slot, long baseOffset, long logAppendTimeMs, long logStartOffset);

    void failed(int slot, Errors error, @Nullable String message, List<RecordError> recordErrors, long logStartOffset);
}
