package io.catchment.broker.share.state.api;

import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's coordinator writes a request that lacks something into the log, all of it, as an error. Anybody can send such requests, so they are
 * refused before.
 */
final class WholeRequest {
    private WholeRequest() {}

    /** @throws InvalidRequestException that says what is missing */
    static <T> void check(@Nullable String groupId, List<T> topics, Function<T, List<?>> partitions) {
        if (groupId == null || groupId.isEmpty()) {
            throw new InvalidRequestException("The group id is empty");
        }
        if (topics.isEmpty()) {
            throw new InvalidRequestException("No topics are named");
        }
        for (T topic : topics) {
            if (partitions.apply(topic).isEmpty()) {
                throw new InvalidRequestException("A topic without partitions is named");
            }
        }
    }
}
