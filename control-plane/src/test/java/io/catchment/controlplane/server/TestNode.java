package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.image.StateImage;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/** A control plane on real Raft, with its listener on a real socket. */
final class TestNode implements AutoCloseable {
    private static final long DEADLINE_S = 60;

    private final AtomicReference<@Nullable Throwable> fatal = new AtomicReference<>();
    private final AtomicInteger epochsOver = new AtomicInteger();
    private final FrameServer network;
    private final ControlPlaneServer server;

    private TestNode(FrameServer network, ControlPlaneConfig config, Time time) throws IOException {
        this.network = network;
        server = ControlPlaneServer.start(config, time, fatal::set);
        network.serve(server.endpoint());
    }

    static TestNode start(FrameServer network, ControlPlaneConfig config) throws IOException {
        return new TestNode(network, config, Time.SYSTEM);
    }

    static TestNode start(FrameServer network, ControlPlaneConfig config, Time time) throws IOException {
        return new TestNode(network, config, time);
    }

    ControlPlane plane() {
        return server.controlPlane();
    }

    StateImage image() {
        return (StateImage) server.controlPlane().image();
    }

    @Nullable
    Throwable fatal() {
        return fatal.get();
    }

    <R> R submit(Command<R> command) throws Exception {
        return get(plane().submit(command));
    }

    long register(int nodeId) throws Exception {
        return submit(new Command.RegisterNode(
                        nodeId,
                        "store-" + nodeId,
                        List.of(new Endpoint("PLAINTEXT", "localhost", 9092)),
                        "zone-" + nodeId,
                        List.of("broker", "wal"),
                        Uuid.randomUuid()))
                .epoch();
    }

    Command.CreatedTopic createTopic(String name, int partitions) throws Exception {
        Command.CreatedTopic created = submit(new Command.CreateTopics(
                        List.of(new Command.CreateTopic(name, partitions, (short) 1, Map.of("retention.ms", "1000"))),
                        false))
                .get(0);
        assertThat(created.error()).isNull();
        return created;
    }

    static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(DEADLINE_S, TimeUnit.SECONDS);
    }

    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting for: %s", what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    /** Leased, with heartbeats from then on; fenced epochs are counted. */
    long join(int nodeId) throws Exception {
        long epoch = submit(new Command.RegisterNode(
                        nodeId,
                        "store-" + nodeId,
                        List.of(new Endpoint("PLAINTEXT", "localhost", 9092)),
                        "zone-" + nodeId,
                        List.of("broker", "wal"),
                        Uuid.randomUuid(),
                        true))
                .epoch();
        plane().keepAlive(epoch, () -> NodeLoad.IDLE, over -> epochsOver.incrementAndGet());
        return epoch;
    }

    int epochsOver() {
        return epochsOver.get();
    }

    FrameServer network() {
        return network;
    }

    @Override
    public void close() throws IOException {
        network.close();
        server.close();
    }
}
