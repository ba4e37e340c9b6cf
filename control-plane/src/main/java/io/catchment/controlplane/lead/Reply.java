package io.catchment.controlplane.lead;

import io.catchment.controlplane.proto.Answer;
import io.catchment.controlplane.proto.CommandResponse.Status;
import org.jspecify.annotations.Nullable;

/**
 * The active controller's word on a submission.
 *
 * @param offset of the last record it rests on: valid once that is replayed
 * @param answer only with DONE, and not for a barrier
 */
public record Reply(
        Status status,
        String message,
        long offset,
        @Nullable Answer answer) {

    static Reply of(Status status, String message) {
        return new Reply(status, message, -1, null);
    }
}
