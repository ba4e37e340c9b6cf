package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.StreamState.EpochStart;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StreamRulesTest {
    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();

    @Test
    void openingRaisesTheEpochAndRecordsItsStart() {
        script.createTopic("t", 2);
        long stream = script.stream("t", 0).streamId();
        assertThat(script.stream("t", 0).ownerNodeEpoch()).isEqualTo(-1);
        Map<Long, Integer> epochs = script.done(open(epoch, new Claim(stream, 0), new Claim(999, 5)));

        assertThat(epochs).containsExactly(Map.entry(stream, 1));
        assertThat(script.stream("t", 0).ownerNodeEpoch()).isEqualTo(epoch);
        assertThat(script.stream("t", 0).epochStarts()).containsExactly(new EpochStart(1, 0));
        assertThat(script.stream("t", 1).epoch()).isZero();
        assertThat(script.image()
                        .metadata()
                        .topics()
                        .getPartition(script.stream("t", 0).topicId(), 0)
                        .leaderEpoch)
                .isEqualTo(1);
    }

    @Test
    void aRegistrationDoesNotOpenStreamsButLetsTheNewEpochDoIt() {
        script.createTopic("t", 1);
        long stream = script.stream("t", 0).streamId();
        script.done(open(epoch, new Claim(stream, 0)));
        long next = script.register(1);
        assertThat(script.stream("t", 0).ownerNodeId()).isEqualTo(1);
        assertThat(script.stream("t", 0).ownerNodeEpoch()).isEqualTo(epoch);

        script.refused(Reason.FENCED, open(epoch, new Claim(stream, 7)));
        assertThat(script.done(open(next, new Claim(stream, 7)))).containsExactly(Map.entry(stream, 2));
        assertThat(script.stream("t", 0).epochStarts()).containsExactly(new EpochStart(1, 0), new EpochStart(2, 7));
    }

    @Test
    void epochsWithoutDataLeaveNoTrace() {
        script.createTopic("t", 1);
        long stream = script.stream("t", 0).streamId();
        script.done(open(epoch, new Claim(stream, 0)));
        script.done(open(epoch, new Claim(stream, 5)));
        script.done(open(epoch, new Claim(stream, 5)));
        assertThat(script.stream("t", 0).epochStarts()).containsExactly(new EpochStart(1, 0), new EpochStart(3, 5));
    }

    @Test
    void aClaimBelowThePublishedEndIsRefusedAsAWhole() {
        script.createTopic("t", 2);
        long stream = script.stream("t", 0).streamId();
        script.done(new Command.PublishFlush(
                1,
                epoch,
                script.sealedExtent(epoch, 1),
                script.preparedObject(epoch),
                1,
                List.of(Script.range(stream, 0, 10)),
                List.of()));
        script.refused(
                Reason.INVALID, open(epoch, new Claim(script.stream("t", 1).streamId(), 0), new Claim(stream, 9)));
        script.refused(Reason.INVALID, open(epoch, new Claim(stream, 10), new Claim(stream, 10)));
        script.done(open(epoch, new Claim(stream, 10)));
    }

    @Test
    void streamsOfOtherOwnersAreLeftOut() {
        script.createTopic("t", 1);
        long other = script.register(2);
        Command.OpenStreams notMine = new Command.OpenStreams(
                2, other, List.of(new Claim(script.stream("t", 0).streamId(), 0)));
        assertThat(script.doneWithoutEffect(notMine)).isEmpty();
    }

    private static Command.OpenStreams open(long nodeEpoch, Claim... claims) {
        return new Command.OpenStreams(1, nodeEpoch, List.of(claims));
    }
}
