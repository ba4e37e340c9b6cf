package io.catchment.broker.share.api;

import org.apache.kafka.common.errors.InvalidRequestException;
import org.jspecify.annotations.Nullable;

/** Who may ask, by form. */
final class Members {
    /** Of a member id, as Kafka has it. */
    private static final int ID_LENGTH_MAX = 36;

    private Members() {}

    static void check(@Nullable String group, @Nullable String member) {
        if (group == null) {
            throw new InvalidRequestException("Invalid group id in the request.");
        }
        if (member == null || member.isEmpty() || member.length() > ID_LENGTH_MAX) {
            throw new InvalidRequestException("Invalid member id in the request.");
        }
    }
}
