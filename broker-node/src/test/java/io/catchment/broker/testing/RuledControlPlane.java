package io.catchment.broker.testing;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.command.CommandRules;
import io.catchment.controlplane.command.Conditions;
import io.catchment.controlplane.command.Decision;
import io.catchment.controlplane.command.Observed;
import io.catchment.controlplane.command.Upkeep;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.image.WholeImage;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.placement.Balancer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;

/**
 * The control plane's real rules and state without a log: each command is decided and replayed as the active controller would. Answers
 * come by the process's loop, and a test says what becomes of a command on its way. Owned by the test's thread.
 */
public final class RuledControlPlane implements ControlPlane {
    /** What becomes of one command. */
    public enum Fate {
        DONE,
        /** It never arrives. */
        UNAVAILABLE,
        /** It takes effect, its answer is lost. */
        UNCERTAIN_DONE,
        /** It has no effect, but nobody knows. */
        UNCERTAIN_LOST,
        /** It takes effect when {@link #release} is called. */
        HELD
    }

    private final ManualLoop time;
    private final List<Listening> listeners = new ArrayList<>();
    private final List<Runnable> held = new ArrayList<>();
    private final List<Command<?>> submitted = new ArrayList<>();
    private final List<Long> submittedAtNanos = new ArrayList<>();
    private StateImage image = StateImage.empty("flush");
    private Function<Command<?>, Fate> fate = command -> Fate.DONE;
    private TestProcess process;
    private long delayMs;
    private int topicIds;
    private Runnable beforeBarrier = () -> {};
    private int replicas = 1;
    private int ackQuorum = 1;

    private record Listening(TestProcess process, ImageListener listener) {}

    public RuledControlPlane(ManualLoop time, TestProcess process) {
        this.time = time;
        this.process = process;
        replay(Upkeep.missingFeatures(image.state()));
    }

    /** Who submits from now on. */
    public void process(TestProcess next) {
        process = next;
    }

    public void fate(Function<Command<?>, Fate> next) {
        fate = next;
    }

    /** What others did that a barrier brings to light. */
    public void beforeBarrier(Runnable step) {
        beforeBarrier = step;
    }

    /** For extents to come. */
    public void replicas(int count, int quorum) {
        replicas = count;
        ackQuorum = quorum;
    }

    public void delayMs(long ms) {
        delayMs = ms;
    }

    public void release() {
        List<Runnable> now = List.copyOf(held);
        held.clear();
        now.forEach(Runnable::run);
    }

    public int heldCount() {
        return held.size();
    }

    public <C> List<C> submitted(Class<C> kind) {
        return submitted.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    public List<Command<?>> lastSubmitted() {
        return submitted.subList(Math.max(0, submitted.size() - 20), submitted.size());
    }

    /** When commands of the kind were submitted. */
    public List<Long> submittedAtNanos(Class<?> kind) {
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < submitted.size(); i++) {
            if (kind.isInstance(submitted.get(i))) {
                times.add(submittedAtNanos.get(i));
            }
        }
        return times;
    }

    /** What the active controller does by itself every now and then. */
    public void upkeep() {
        upkeep(Observed.NOTHING);
    }

    public void upkeep(Observed observed) {
        replay(Upkeep.due(
                image.state(),
                conditions(),
                observed,
                state -> Balancer.plan(state, Map.of(), Set.of(), 1_000, false)));
    }

    /** Decided and replayed at once; throws {@link CommandException} if it is refused. */
    public <R> R now(Command<R> command) {
        Decision<R> decision = CommandRules.decide(command, image.state(), conditions());
        if (decision instanceof Decision.Accepted<R> accepted) {
            replay(accepted.records());
            return accepted.answer();
        }
        Decision.Refused<R> refused = (Decision.Refused<R>) decision;
        throw new CommandException(refused.reason(), refused.message());
    }

    private Conditions conditions() {
        return new Conditions(time.wallClockMs(), () -> new Uuid(7, ++topicIds), replicas, ackQuorum);
    }

    private void replay(List<LogRecord> records) {
        if (records.isEmpty()) {
            return;
        }
        ImageStep step = ImageStep.after(image);
        records.forEach(step::replay);
        step.at(image.offset() + records.size(), 1, time.wallClockMs());
        ImageStep.Result result = step.finish();
        image = result.image();
        for (Listening each : listeners) {
            if (each.process().alive()) {
                each.listener().changed(result.delta(), image);
            }
        }
    }

    @Override
    public ClusterImage image() {
        return image;
    }

    @Override
    public void subscribe(ImageListener listener) {
        listeners.add(new Listening(process, listener));
        listener.changed(WholeImage.asDelta(image), image);
    }

    @Override
    public void unsubscribe(ImageListener listener) {
        listeners.removeIf(each -> each.listener() == listener);
    }

    @Override
    public <R> CompletionStage<R> submit(Command<R> command) {
        submitted.add(command);
        submittedAtNanos.add(time.nanoTime());
        return switch (fate.apply(command)) {
            case DONE -> onItsWay(command, false);
            case UNCERTAIN_DONE -> onItsWay(command, true);
            case UNAVAILABLE -> fails(Reason.UNAVAILABLE);
            case UNCERTAIN_LOST -> fails(Reason.UNCERTAIN);
            case HELD -> held(command);
        };
    }

    /** It arrives whatever becomes of the process that sent it. */
    private <R> CompletionStage<R> onItsWay(Command<R> command, boolean answerLost) {
        CompletableFuture<R> answer = new CompletableFuture<>();
        TestProcess sender = process;
        time.schedule(() -> arrive(command, answerLost, sender, answer), delayMs);
        return answer;
    }

    private <R> CompletionStage<R> held(Command<R> command) {
        CompletableFuture<R> answer = new CompletableFuture<>();
        TestProcess sender = process;
        held.add(() -> arrive(command, false, sender, answer));
        return answer;
    }

    private <R> void arrive(Command<R> command, boolean answerLost, TestProcess sender, CompletableFuture<R> answer) {
        R result;
        try {
            result = now(command);
        } catch (CommandException refused) {
            if (sender.alive()) {
                answer.completeExceptionally(refused);
            }
            return;
        }
        if (!sender.alive()) {
            return;
        }
        if (answerLost) {
            answer.completeExceptionally(new CommandException(Reason.UNCERTAIN, "injected: the answer is lost"));
        } else {
            answer.complete(result);
        }
    }

    private <R> CompletionStage<R> fails(Reason reason) {
        return process.later(
                delayMs, answer -> answer.completeExceptionally(new CommandException(reason, "injected " + reason)));
    }

    /** Nobody is fenced for silence here. */
    @Override
    public void keepAlive(long nodeEpoch, Supplier<NodeLoad> load, LeaseListener listener) {}

    @Override
    public CompletionStage<ByteBuffer> askController(ByteBuffer frame) {
        return CompletableFuture.failedFuture(new CommandException(Reason.UNAVAILABLE, "there is no controller here"));
    }

    @Override
    public CompletionStage<Void> barrier() {
        beforeBarrier.run();
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void close() {}
}
