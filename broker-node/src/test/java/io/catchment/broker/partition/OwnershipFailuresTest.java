package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** What opens streams throws, once; all of them are tried again all the same. On a loop that the test moves. */
class OwnershipFailuresTest {
    private static final int STREAMS = 3;

    private final RulesControlPlane controlPlane = new RulesControlPlane();
    private final ManualLoop loop = new ManualLoop();
    private final long epoch = controlPlane.register(1);
    /** Where something is thrown next; empty: nowhere. */
    private String failing = "";

    private int failures;
    private final List<Long> asked = new ArrayList<>();

    private final Ownership ownership = new Ownership(1, epoch, controlPlane, loop, loop, this::find, new Openings());

    private void failMaybe(String where) {
        if (failing.equals(where)) {
            failing = "";
            failures++;
            throw new NoClassDefFoundError("injected: " + where);
        }
    }

    /** Finds none: what is asked for again is enough to know here. */
    private List<StreamOpening.Found> find(List<StreamState> streams, Ownership.Failures unread) {
        failMaybe("find");
        for (StreamState stream : streams) {
            asked.add(stream.streamId());
            unread.failed(stream, new StreamNotReadableException("injected: not yet"));
        }
        return List.of();
    }

    private final class Openings implements Ownership.Openings {
        @Override
        public Partition open(StreamOpening.Found each, StreamState now) {
            throw new IllegalStateException("injected: open");
        }

        @Override
        public CompletionStage<Void> settle(List<Partition> opened) {
            failMaybe("settle");
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void publish(List<Partition> opened) {}

        @Override
        public void close(Partition partition, Errors error) {
            throw new AssertionError("nothing is open");
        }
    }

    private void topic(String name) {
        controlPlane.now(new Command.CreateTopics(
                List.of(new Command.CreateTopic(name, STREAMS, (short) 1, Map.of(), List.of(1, 1, 1))), false));
    }

    private CompletableFuture<Void> start() {
        CompletableFuture<Void> started = ownership.start().toCompletableFuture();
        loop.pass(50);
        return started;
    }

    private void assertAllAreTriedAgain(CompletableFuture<Void> started) {
        assertThat(failures).isEqualTo(1);
        assertThat(started).as("what begins an epoch does not wait for ever").isCompleted();
        asked.clear();
        loop.pass(60_000);
        assertThat(asked)
                .containsAll(controlPlane.image().streams().stream()
                        .map(StreamState::streamId)
                        .toList());
    }

    @Test
    void anErrorWhileStreamsAreReadIsTriedAgain() {
        topic("t");
        failing = "find";
        assertAllAreTriedAgain(start());
    }

    @Test
    void anErrorOnTheWayToTheirLoopsIsTriedAgain() {
        topic("t");
        failing = "settle";
        assertAllAreTriedAgain(start());
    }
}
