package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.placement.Balancer;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.StateInvariants;
import io.catchment.controlplane.state.StateSnapshot;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Commands one after the other on a state. Each goes over the wire and back before it is decided; its records go through the serde
 * before they are replayed; its answer goes over the wire; and after each the replayed state must equal the decided one, the
 * state from a snapshot too, and all invariants must hold.
 */
public final class Script {
    private StateImage image = StateImage.empty("cluster");
    private int replicas = 1;
    private int ackQuorum = 1;
    private long nowMs = 1_000_000;
    private int topicIds;

    /** On a state that something else led to. */
    public static Script on(StateImage image) {
        Script script = new Script();
        script.image = image;
        return script;
    }

    public static Script ofOneNode() {
        Script script = new Script();
        script.replay(Upkeep.beginning(script.state(), () -> new Uuid(4, 1)));
        script.register(1);
        return script;
    }

    Script replicas(int newReplicas, int newAckQuorum) {
        replicas = newReplicas;
        ackQuorum = newAckQuorum;
        return this;
    }

    public ClusterState state() {
        return image.state();
    }

    public StateImage image() {
        return image;
    }

    public void pass(long ms) {
        nowMs += ms;
    }

    Conditions conditions() {
        return new Conditions(nowMs, () -> new Uuid(7, ++topicIds), replicas, ackQuorum);
    }

    public long register(int nodeId) {
        return register(nodeId, "store-" + nodeId, "zone-" + nodeId);
    }

    long register(int nodeId, String storeId, String zone) {
        return done(new Command.RegisterNode(
                        nodeId,
                        storeId,
                        List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                        zone,
                        List.of("broker", "wal"),
                        Uuid.randomUuid()))
                .epoch();
    }

    public Uuid createTopic(String name, int partitions) {
        Command.CreatedTopic created = done(new Command.CreateTopics(
                        List.of(new Command.CreateTopic(name, partitions, (short) 1, Map.of())), false))
                .get(0);
        assertThat(created.error()).isNull();
        return created.topicId();
    }

    public NodeState node(int nodeId) {
        return Objects.requireNonNull(state().nodes().get(nodeId));
    }

    public TopicState topic(String name) {
        return Objects.requireNonNull(state().topics().get(name));
    }

    public StreamState stream(String topic, int partition) {
        return Objects.requireNonNull(
                state().streams().get(topic(topic).streams().get(partition)));
    }

    ExtentState extent(long extentId) {
        return Objects.requireNonNull(state().extents().get(extentId));
    }

    public ObjectState object(long objectId) {
        return Objects.requireNonNull(state().objects().get(objectId));
    }

    /** An extent of node 1, sealed. */
    public long sealedExtent(long nodeEpoch, long length) {
        ExtentState extent = done(new Command.CreateExtent(1, nodeEpoch, 1));
        done(new Command.SealExtent(extent.extentId(), nodeEpoch, length, extent.ensemble()));
        return extent.extentId();
    }

    public long preparedObject(long nodeEpoch) {
        return done(new Command.PrepareObjects(1, nodeEpoch, 1, 60_000)).get(0);
    }

    public static Command.NewRange range(long streamId, long base, long end) {
        return new Command.NewRange(streamId, base, end, 0, 100, 5, 6);
    }

    /** The command is right; its answer. */
    public <R> R done(Command<R> command) {
        Decision<R> decision = decide(command);
        assertThat(decision).as("%s", command).isInstanceOf(Decision.Accepted.class);
        Decision.Accepted<R> accepted = (Decision.Accepted<R>) decision;
        replay(accepted.records());
        assertThat(state()).isEqualTo(accepted.after());
        StateInvariants.check(state(), image.metadata());
        assertThat(fromSnapshot()).isEqualTo(state());
        R answer = AnswerCodec.read(command, AnswerCodec.write(command, accepted.answer()));
        assertThat(answer).isEqualTo(accepted.answer());
        return answer;
    }

    /** The command is right and nothing is left to do. */
    <R> R doneWithoutEffect(Command<R> command) {
        ClusterState before = state();
        R answer = done(command);
        assertThat(state()).isSameAs(before);
        return answer;
    }

    public String refused(Reason reason, Command<?> command) {
        Decision<?> decision = decide(command);
        assertThat(decision).as("%s", command).isInstanceOf(Decision.Refused.class);
        Decision.Refused<?> refused = (Decision.Refused<?>) decision;
        assertThat(refused.reason()).as(refused.message()).isEqualTo(reason);
        return refused.message();
    }

    /** What the active controller does by itself on this state; afterwards it has nothing left to do. */
    void upkeep(Observed observed) {
        replay(Upkeep.due(
                state(),
                conditions(),
                observed,
                state -> Balancer.plan(state, conditions().figures(), Set.of(), 1_000, false)));
        StateInvariants.check(state(), image.metadata());
        assertThat(fromSnapshot()).isEqualTo(state());
    }

    void replay(List<LogRecord> records) {
        if (records.isEmpty()) {
            return;
        }
        ImageStep step = ImageStep.after(image);
        List<LogRecord> read = records.stream().map(Script::throughSerde).toList();
        step.replay(new LogBatch(image.offset() + read.size(), 1, nowMs, 0, read));
        image = step.finish().image();
    }

    private ClusterState fromSnapshot() {
        ImageStep step = ImageStep.instead(StateImage.empty("cluster"));
        List<LogRecord> records = new ArrayList<>();
        StateSnapshot.write(state(), image.metadata(), records::add);
        records.forEach(record -> step.replay(throughSerde(record)));
        StateImage loaded = step.finish().image();
        assertThat(loaded.metadata().topics()).isEqualTo(image.metadata().topics());
        assertThat(loaded.metadata().configs()).isEqualTo(image.metadata().configs());
        assertThat(loaded.metadata().features()).isEqualTo(image.metadata().features());
        assertThat(loaded.metadata().producerIds()).isEqualTo(image.metadata().producerIds());
        return loaded.state();
    }

    @SuppressWarnings("unchecked") // a command over the wire is of the same kind
    private <R> Decision<R> decide(Command<R> command) {
        CommandRequest.Builder wire = CommandRequest.newBuilder();
        CommandCodec.write(command, wire);
        Command<R> read = (Command<R>) CommandCodec.read(wire.build());
        assertThat(read).isEqualTo(command);
        return CommandRules.decide(read, state(), conditions());
    }

    static LogRecord throughSerde(LogRecord record) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        int size = LogRecordSerde.INSTANCE.recordSize(record, cache);
        ByteBufferAccessor out = new ByteBufferAccessor(ByteBuffer.allocate(size));
        LogRecordSerde.INSTANCE.write(record, cache, out);
        assertThat(out.remaining()).isZero();
        out.flip();
        LogRecord read = LogRecordSerde.INSTANCE.read(out, size);
        assertThat(read).isEqualTo(record);
        return read;
    }
}
