package io.catchment.broker.testing;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.command.CommandRules;
import io.catchment.controlplane.command.Conditions;
import io.catchment.controlplane.command.Decision;
import io.catchment.controlplane.command.Upkeep;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.image.WholeImage;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Barrier;
import io.catchment.controlplane.proto.Record;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;

/**
 * The control plane's real rules over its real state, in memory and at once: a command is decided and replayed in the caller's thread,
 * under a lock. A test says which commands fail, and how.
 */
public final class RulesControlPlane implements ControlPlane {
    /** What becomes of a command. */
    public enum Fate {
        DONE,
        /** It takes effect; its answer is lost. */
        UNCERTAIN_DONE,
        /** It takes none, and nobody knows. */
        UNCERTAIN_LOST,
        UNAVAILABLE
    }

    private final List<ImageListener> listeners = new CopyOnWriteArrayList<>();
    private final List<Command<?>> submitted = new CopyOnWriteArrayList<>();
    private volatile StateImage image;
    private final List<Runnable> heldBack = new ArrayList<>();
    private boolean holding;
    private volatile Function<Command<?>, Fate> fate = command -> Fate.DONE;
    private final int replicas;
    private final int ackQuorum;
    private int topicIds;

    public RulesControlPlane() {
        this(StateImage.empty("test"));
    }

    /** Goes on from there. */
    public RulesControlPlane(StateImage image) {
        this(image, 1, 1);
    }

    public RulesControlPlane(int replicas, int ackQuorum) {
        this(StateImage.empty("test"), replicas, ackQuorum);
    }

    private RulesControlPlane(StateImage image, int replicas, int ackQuorum) {
        this.image = image;
        this.replicas = replicas;
        this.ackQuorum = ackQuorum;
        replay(Upkeep.beginning(image.state(), () -> new Uuid(4, 1)));
    }

    /** Registers a broker; its epoch. */
    public long register(int nodeId) {
        return now(new Command.RegisterNode(
                        nodeId,
                        "store-" + nodeId,
                        List.of(new Endpoint("PLAINTEXT", "host-" + nodeId, 9092)),
                        "zone-" + nodeId,
                        List.of("broker", "wal", "controller"),
                        new Uuid(nodeId, 1)))
                .epoch();
    }

    public void fate(Function<Command<?>, Fate> next) {
        fate = next;
    }

    public <C> List<C> submitted(Class<C> kind) {
        return submitted.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    /** Somebody else's command: takes effect whatever {@link #fate} says; throws {@link CommandException} if it is refused. */
    public synchronized <R> R now(Command<R> command) {
        Decision<R> decision = CommandRules.decide(
                command, image.state(), new Conditions(1_000, () -> new Uuid(7, ++topicIds), replicas, ackQuorum));
        if (decision instanceof Decision.Accepted<R> accepted) {
            replay(accepted.records());
            return accepted.answer();
        }
        Decision.Refused<R> refused = (Decision.Refused<R>) decision;
        throw new CommandException(refused.reason(), refused.message());
    }

    private void replay(List<LogRecord> records) {
        if (records.isEmpty()) {
            return;
        }
        ImageStep step = ImageStep.after(image);
        records.forEach(step::replay);
        step.at(image.offset() + records.size(), 1, 1_000);
        ImageStep.Result result = step.finish();
        image = result.image();
        StateImage then = image;
        Runnable news = () -> new ArrayList<>(listeners).forEach(listener -> listener.changed(result.delta(), then));
        if (holding) {
            heldBack.add(news);
        } else {
            news.run();
        }
    }

    /** Listeners hear of changes late from now on: the image is newer than what they are told. */
    public synchronized void holdNews() {
        holding = true;
    }

    public synchronized void releaseNews() {
        holding = false;
        List<Runnable> late = List.copyOf(heldBack);
        heldBack.clear();
        late.forEach(Runnable::run);
    }

    @Override
    public ClusterImage image() {
        return image;
    }

    @Override
    public synchronized void subscribe(ImageListener listener) {
        listeners.add(listener);
        listener.changed(WholeImage.asDelta(image), image);
    }

    @Override
    public void unsubscribe(ImageListener listener) {
        listeners.remove(listener);
    }

    /** How many hear of changes. */
    public int listenerCount() {
        return listeners.size();
    }

    @Override
    public <R> CompletionStage<R> submit(Command<R> command) {
        submitted.add(command);
        try {
            return switch (fate.apply(command)) {
                case DONE -> CompletableFuture.completedFuture(now(command));
                case UNCERTAIN_DONE -> {
                    now(command);
                    yield failed(Reason.UNCERTAIN);
                }
                case UNCERTAIN_LOST -> failed(Reason.UNCERTAIN);
                case UNAVAILABLE -> failed(Reason.UNAVAILABLE);
            };
        } catch (CommandException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private static <R> CompletionStage<R> failed(Reason reason) {
        return CompletableFuture.failedFuture(new CommandException(reason, "injected " + reason));
    }

    /** Nobody is fenced for silence here. */
    @Override
    public void keepAlive(long nodeEpoch, Supplier<NodeLoad> load, LeaseListener listener) {}

    @Override
    public CompletionStage<ByteBuffer> askController(ByteBuffer frame) {
        return CompletableFuture.failedFuture(new CommandException(Reason.UNAVAILABLE, "there is no controller here"));
    }

    /** Who leads, as the image tells. */
    public synchronized void controller(int nodeId) {
        image = image.withController(nodeId);
    }

    @Override
    public synchronized CompletionStage<Void> barrier() {
        replay(List.of(LogRecord.own(Record.newBuilder().setBarrier(Barrier.getDefaultInstance()))));
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void close() {
        listeners.clear();
    }
}
