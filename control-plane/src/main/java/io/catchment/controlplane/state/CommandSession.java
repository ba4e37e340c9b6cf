package io.catchment.controlplane.state;

import com.google.protobuf.ByteString;
import org.apache.kafka.server.immutable.ImmutableMap;

/**
 * What is remembered of one submitter's commands, so that a retry gets the first answer and has no second effect.
 *
 * @param ackedBelow the submitter no longer waits for commands with lower sequence numbers
 * @param lastCommand how many commands the state had taken when this session's last one did; the oldest session is forgotten first
 * @param answers by sequence number, in the wire's form
 */
public record CommandSession(long ackedBelow, long lastCommand, ImmutableMap<Long, ByteString> answers) {

    static final CommandSession EMPTY = new CommandSession(0, 0, ImmutableMap.empty());

    CommandSession done(long sequence, long newAckedBelow, long command, ByteString answer) {
        ImmutableMap<Long, ByteString> kept = answers;
        if (newAckedBelow > ackedBelow) {
            for (long old : answers.keySet()) {
                if (old < newAckedBelow) {
                    kept = kept.removed(old);
                }
            }
        }
        return new CommandSession(Math.max(ackedBelow, newAckedBelow), command, kept.updated(sequence, answer));
    }
}
