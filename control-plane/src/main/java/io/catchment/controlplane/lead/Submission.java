package io.catchment.controlplane.lead;

import io.catchment.controlplane.Command;
import org.jspecify.annotations.Nullable;

/**
 * A command as it reaches the active controller.
 *
 * @param sessionId who submits: random, of one process
 * @param sequence of this command in its session; the same in each retry
 * @param ackedBelow the session waits for no command with a lower sequence
 * @param command null for a barrier
 */
public record Submission(
        long sessionId,
        long sequence,
        long ackedBelow,
        @Nullable Command<?> command) {}
