package io.catchment.broker.fetch;

import java.util.function.Supplier;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.errors.InvalidRequestException;

/** Kafka's requests throw at a level that does not exist: the client's fault, not ours. */
final class Isolation {
    private Isolation() {}

    /** @throws InvalidRequestException for a level that does not exist */
    static IsolationLevel of(Supplier<IsolationLevel> asked) {
        try {
            return asked.get();
        } catch (IllegalArgumentException unknown) {
            throw new InvalidRequestException(unknown.getMessage(), unknown);
        }
    }
}
