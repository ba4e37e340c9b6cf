package io.catchment.controlplane.lead;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.command.Conditions;
import io.catchment.controlplane.command.Script;
import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.LogListener;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.log.SnapshotSink;
import io.catchment.controlplane.proto.CommandResponse.Status;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class LeaderTest {
    private static final Command<?> CREATE =
            new Command.CreateTopics(List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of())), false);

    private final Log log = new Log();
    private final Leader leader = new Leader(log, () -> new Conditions(1_000, Uuid::randomUuid, 1, 1));
    private final List<Status> replies = new ArrayList<>();

    LeaderTest() {
        Script script = Script.ofOneNode();
        log.end = script.image().offset();
        leader.activate(1, script.state(), log.end);
    }

    private Status submit(long sequence, long ackedBelow, Command<?> command) {
        replies.clear();
        leader.submit(new Submission(7, sequence, ackedBelow, command), reply -> replies.add(reply.status()));
        leader.replayedUpTo(log.end);
        return replies.get(0);
    }

    private Status barrier(long sequence, long ackedBelow) {
        replies.clear();
        leader.submit(new Submission(7, sequence, ackedBelow, null), reply -> replies.add(reply.status()));
        leader.replayedUpTo(log.end);
        return replies.get(0);
    }

    /** The submitter gave it up as uncertain, waited for a barrier, and went on as if it had not been. */
    @Test
    void aCopyThatComesAfterABarrierThatDoesNotWaitForItHasNoEffect() {
        assertThat(barrier(9, 9)).isEqualTo(Status.DONE);
        assertThat(submit(8, 8, CREATE)).isEqualTo(Status.UNCERTAIN);
        assertThat(leader.state().topics()).isEmpty();
        assertThat(barrier(9, 9)).as("a barrier again").isEqualTo(Status.DONE);
        assertThat(submit(10, 10, CREATE)).isEqualTo(Status.DONE);
        assertThat(leader.state().topics()).hasSize(1);
    }

    @Test
    void whatIsStillWaitedForIsDecidedAfterABarrierToo() {
        assertThat(barrier(9, 8)).isEqualTo(Status.DONE);
        assertThat(submit(8, 8, CREATE)).isEqualTo(Status.DONE);
        assertThat(leader.state().topics()).hasSize(1);
    }

    /** Whatever is proposed is there. */
    private static final class Log implements ReplicatedLog {
        private long end;

        @Override
        public OptionalLong propose(int leaderEpoch, List<LogRecord> batch) {
            end += batch.size();
            return OptionalLong.of(end);
        }

        @Override
        public void start(LogListener listener) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<SnapshotSink> snapshot(long lastOffset, int lastEpoch, long lastTimestampMs) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<InetSocketAddress> address(int nodeId) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletionStage<ByteBuffer> answer(ByteBuffer frame) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void leaderIsGone(Leadership leadership) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }
}
