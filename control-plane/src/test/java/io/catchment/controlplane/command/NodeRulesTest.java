package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.ObjectsPrepared;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.Protos;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class NodeRulesTest {
    private final Script script = Script.ofOneNode();

    @Test
    void eachRegistrationRaisesTheEpochAndEndsTheOneBefore() {
        long first = script.node(1).epoch();
        long second = script.register(1);

        assertThat(second).isGreaterThan(first);
        script.refused(Reason.FENCED, new Command.CreateExtent(1, first, 1));
        script.done(new Command.CreateExtent(1, second, 1));
    }

    @Test
    void theSameProcessKeepsItsEpoch() {
        Command.RegisterNode command = new Command.RegisterNode(
                5, "s", List.of(new Endpoint("A", "h", 1)), "z", List.of("broker"), Uuid.randomUuid());
        long epoch = script.done(command).epoch();

        assertThat(script.doneWithoutEffect(command).epoch()).isEqualTo(epoch);
    }

    @Test
    void aRegistrationWithoutStoreOrRolesIsInvalid() {
        script.refused(
                Reason.INVALID, new Command.RegisterNode(2, "", List.of(), "z", List.of("broker"), Uuid.randomUuid()));
        script.refused(Reason.INVALID, new Command.RegisterNode(2, "s", List.of(), "z", List.of(), Uuid.randomUuid()));
        script.refused(
                Reason.INVALID, new Command.RegisterNode(-1, "s", List.of(), "z", List.of("wal"), Uuid.randomUuid()));
    }

    @Test
    void aGoodbyeFencesTheNodeAndKeepsItsStreams() {
        long epoch = script.node(1).epoch();
        script.createTopic("t", 2);
        script.done(new Command.UnregisterNode(1, epoch));

        assertThat(script.node(1).fenced()).isTrue();
        assertThat(script.stream("t", 0).ownerNodeId()).isEqualTo(1);
        script.refused(Reason.FENCED, new Command.UnregisterNode(1, epoch));
        script.refused(Reason.FENCED, new Command.AllocateProducerIds(1, epoch));

        assertThat(script.register(1)).isGreaterThan(epoch);
        assertThat(script.node(1).fenced()).isFalse();
    }

    @Test
    void streamsWithoutAnOwnerAreGivenToTheFirstBroker() {
        Script empty = new Script();
        empty.replay(Upkeep.missingFeatures(empty.state()));
        empty.createTopic("early", 3);
        assertThat(empty.stream("early", 2).ownerNodeId()).isEqualTo(-1);
        int epoch = empty.stream("early", 2).epoch();

        empty.register(4);
        assertThat(empty.stream("early", 2).ownerNodeId()).isEqualTo(4);
        assertThat(empty.stream("early", 2).epoch()).isEqualTo(epoch + 1);
    }

    @Test
    void aNodeThatOnlyHoldsWalGetsNoStreams() {
        Script empty = new Script();
        empty.replay(Upkeep.missingFeatures(empty.state()));
        empty.done(new Command.RegisterNode(1, "s", List.of(), "z", List.of("wal"), Uuid.randomUuid()));
        empty.createTopic("t", 1);
        assertThat(empty.stream("t", 0).ownerNodeId()).isEqualTo(-1);
        assertThat(Upkeep.due(empty.state(), empty.conditions(), Observed.NOTHING, state -> List.of()))
                .isEmpty();
    }

    @Test
    void anotherDiskReleasesTheFormerDisksFlushedCopies() {
        long epoch = script.node(1).epoch();
        long flushed = script.sealedExtent(epoch, 10);
        long sealed = script.sealedExtent(epoch, 10);
        script.done(new Command.PublishFlush(1, epoch, flushed, -1, 0, List.of(), List.of()));

        script.register(1, "another-disk", "z");

        assertThat(script.state().extents()).doesNotContainKey(flushed);
        assertThat(script.extent(sealed).holders()).containsExactly(new Store(1, "store-1"));
    }

    @Test
    void producerIdsAreGivenOutOnce() {
        long epoch = script.node(1).epoch();
        Command.ProducerIdBlock first = script.done(new Command.AllocateProducerIds(1, epoch));
        Command.ProducerIdBlock second = script.done(new Command.AllocateProducerIds(1, epoch));
        assertThat(first.size()).isEqualTo(1000);
        assertThat(second.firstId()).isEqualTo(first.firstId() + first.size());
        assertThat(script.image().metadata().producerIds().nextProducerId())
                .isEqualTo(second.firstId() + second.size());
    }

    @Test
    void aHistoryBeginsOnceAndNeverWhereOneHasGoneOnWithout() {
        Uuid drawn = new Uuid(4, 1);
        assertThat(script.image().historyId()).hasValue(drawn);
        assertThat(Upkeep.beginning(script.state(), Uuid::randomUuid)).isEmpty();
        assertThatThrownBy(() -> script.replay(List.of(Protos.historyBegun(new Uuid(4, 9)))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("in the midst of " + drawn);

        Script earlier = new Script();
        assertThat(earlier.image().historyId()).isEmpty();
        earlier.replay(Upkeep.missingFeatures(earlier.state()));
        assertThat(earlier.image().historyId()).as("that of a state without").hasValue(Uuid.ZERO_UUID);
        assertThat(Upkeep.beginning(earlier.state(), Uuid::randomUuid)).isEmpty();
    }

    @Test
    void noObjectIdIsGivenOutTwice() {
        long epoch = script.node(1).epoch();
        long object = script.preparedObject(epoch);
        LogRecord again = LogRecord.own(Record.newBuilder()
                .setObjectsPrepared(
                        ObjectsPrepared.newBuilder().setFirstObjectId(object).setCount(1)));
        assertThatThrownBy(() -> script.replay(List.of(again)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("given out again");
    }

    @Test
    void featuresAreWrittenOnce() {
        assertThat(script.state().features()).containsKeys("metadata.version", "group.version");
        assertThat(Upkeep.missingFeatures(script.state())).isEmpty();
        assertThat(script.image().metadata().features().metadataVersion()).isPresent();
    }
}
