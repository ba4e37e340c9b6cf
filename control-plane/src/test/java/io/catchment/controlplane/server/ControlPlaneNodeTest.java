package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

/** One node that leads, on simulated time. */
class ControlPlaneNodeTest {
    private final Random random = new Random(1);
    private final SimulatedTime time = new SimulatedTime(random);
    private final SimulatedRaft raft = new SimulatedRaft(time, random);
    private final FaultyLoop loop = new FaultyLoop(time.new Loop());
    private final ControlPlaneNode node = new ControlPlaneNode(
            ControlPlaneConfig.singleController(1, "sim", Path.of("unused"), Set.of("controller"), "node", 1),
            loop,
            raft.open(1),
            new Nobody(),
            new InlineExecutor(),
            1,
            Uuid::randomUuid);

    /** A controller that ends by a fault of ours is followed by one that decides on the same state. */
    @Test
    void whatTheControllerFailsToDecideByItselfHasNoEffectAndDoesNotEndIt() {
        node.start();
        raft.elect();
        assertThat(time.runUntil(() -> node.image().controllerId() == 1, 5_000)).isTrue();
        loop.faulty = true;
        time.runFor(5_000);
        loop.faulty = false;
        CompletableFuture<List<Command.CreatedTopic>> created = node.submit(
                        new Command.CreateTopics(List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of())), false))
                .toCompletableFuture();
        assertThat(time.runUntil(created::isDone, 5_000)).isTrue();
        assertThat(created.join().get(0).error()).isNull();
    }

    /** Whoever asks for the time of day fails, for a while. */
    private static final class FaultyLoop implements ControlLoop {
        private final ControlLoop loop;
        private boolean faulty;

        FaultyLoop(ControlLoop loop) {
            this.loop = loop;
        }

        @Override
        public boolean execute(Runnable task) {
            return loop.execute(task);
        }

        @Override
        public void schedule(Runnable task, long delayMs) {
            loop.schedule(task, delayMs);
        }

        @Override
        public long monotonicMs() {
            return loop.monotonicMs();
        }

        @Override
        public long wallClockMs() {
            if (faulty) {
                throw new IllegalStateException("a fault of ours");
            }
            return loop.wallClockMs();
        }

        @Override
        public void close() {
            loop.close();
        }
    }

    private static final class Nobody implements RemoteController {
        @Override
        public void send(InetSocketAddress controller, CommandRequest request, Consumer<CommandResponse> answer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void send(
                InetSocketAddress controller,
                CommandRequest request,
                Consumer<CommandResponse> answer,
                Runnable refused) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }
}
