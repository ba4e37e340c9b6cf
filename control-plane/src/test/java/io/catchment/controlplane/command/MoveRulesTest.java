package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.Command.Move;
import io.catchment.controlplane.Command.Resignation;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.StreamState.Handover;
import io.catchment.controlplane.StreamState.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Planned changes of owners. */
class MoveRulesTest {
    private final Script script = Script.ofOneNode();
    private final long first = script.node(1).epoch();
    private final long second;
    private final long stream;

    MoveRulesTest() {
        script.createTopic("t", 1);
        stream = script.stream("t", 0).streamId();
        second = script.register(2);
        script.done(new Command.OpenStreams(1, first, List.of(new Claim(stream, 0))));
    }

    @Test
    void theOwnerIsAskedAndTheNewOneServesWhereItEnded() {
        script.done(move(2, true));
        assertThat(stream().targetNodeId()).isEqualTo(2);
        assertThat(stream().ownerNodeId()).isEqualTo(1);
        assertThat(stream().epoch()).isEqualTo(1);
        script.doneWithoutEffect(move(2, true));
        script.done(new Command.CreateExtent(1, first, 1));

        assertThat(script.done(resign(first, 42))).containsExactly(Map.entry(stream, 2));
        StreamState moved = stream();
        assertThat(moved.ownerNodeId()).isEqualTo(2);
        assertThat(moved.ownerNodeEpoch()).isEqualTo(second);
        assertThat(moved.epoch()).isEqualTo(2);
        assertThat(moved.epochStarts()).containsExactly(new EpochStart(1, 0), new EpochStart(2, 42));
        assertThat(moved.handover()).isEqualTo(new Handover(42, 7, 100, 50));
        assertThat(moved.targetNodeId()).isEqualTo(-1);
        assertThat(moved.preferredNodeId()).isEqualTo(2);
        assertThat(moved.pinned()).isTrue();
        assertThat(moved.writers()).containsExactly(new Writer(1, first), new Writer(2, second));
        assertThat(script.image().metadata().topics().getPartition(moved.topicId(), 0).leader)
                .isEqualTo(2);
        // A late copy, or one by who is not the owner any more, moves nothing
        assertThat(script.doneWithoutEffect(resign(first, 42))).isEmpty();
    }

    @Test
    void anEndBelowWhatIsKnownIsImpossible() {
        script.done(move(2, false));
        script.done(resign(first, 42));
        script.done(move(1, false));
        script.refused(
                Reason.INVALID, new Command.ResignStreams(2, second, List.of(new Resignation(stream, 41, 0, 0, 0))));
        script.refused(
                Reason.INVALID, new Command.ResignStreams(2, second, List.of(new Resignation(stream, 43, -1, 0, 0))));
        script.done(new Command.ResignStreams(2, second, List.of(new Resignation(stream, 42, 0, 0, 0))));
        assertThat(stream().epochStarts()).containsExactly(new EpochStart(1, 0), new EpochStart(3, 42));
    }

    @Test
    void anEpochThatIsOverResignsNothing() {
        script.done(move(2, false));
        script.register(1);
        script.refused(Reason.FENCED, resign(first, 42));
        long again = script.node(1).epoch();
        assertThat(script.doneWithoutEffect(
                        new Command.ResignStreams(1, again, List.of(new Resignation(stream, 42, 0, 0, 0)))))
                .isEmpty();
    }

    @Test
    void aStreamThatNobodyServesMovesAtOnce() {
        script.register(1);
        script.done(move(2, false));
        assertThat(stream().ownerNodeId()).isEqualTo(2);
        assertThat(stream().targetNodeId()).isEqualTo(-1);
        assertThat(stream().epoch()).isEqualTo(2);
    }

    @Test
    void movesAreTakenBackAndNeverGoToTheDead() {
        assertThat(error(move(9, false)).reason()).isEqualTo(Reason.INVALID);
        assertThat(error(new Command.MoveStreams(List.of(new Move(999, 2)), false))
                        .reason())
                .isEqualTo(Reason.NOT_FOUND);
        script.done(move(2, false));
        script.done(move(Move.STAY, false));
        assertThat(stream().targetNodeId()).isEqualTo(-1);
        assertThat(stream().preferredNodeId()).isEqualTo(1);

        script.done(move(2, false));
        script.done(new Command.FenceNode(2, second));
        // The owner goes on with it, and is no longer asked
        assertThat(script.doneWithoutEffect(resign(first, 42))).isEmpty();
        script.upkeep(Observed.NOTHING);
        assertThat(stream().targetNodeId()).isEqualTo(-1);
        assertThat(stream().ownerNodeId()).isEqualTo(1);
        assertThat(error(move(2, false)).reason()).isEqualTo(Reason.INVALID);
    }

    @Test
    void thePreferredOwnerGetsItsStreamsBack() {
        script.done(new Command.FenceNode(1, first));
        assertThat(stream().ownerNodeId()).isEqualTo(2);
        long again = script.register(1);
        script.done(new Command.OpenStreams(2, second, List.of(new Claim(stream, 5))));
        script.done(move(Move.PREFERRED, false));
        assertThat(stream().targetNodeId()).isEqualTo(1);
        script.done(new Command.ResignStreams(2, second, List.of(new Resignation(stream, 6, 0, 0, 0))));
        assertThat(stream().ownerNodeId()).isEqualTo(1);
        assertThat(stream().ownerNodeEpoch()).isEqualTo(again);
    }

    /** A command is sent again for up to 30 s: it may be decided when others have written behind the end that it names. */
    @Test
    void aClaimOfWhatChangedHandsSinceItWasReadIsLeftOutThoughItsNodeOwnsTheStreamAgain() {
        script.done(new Command.FenceNode(1, first));
        Command.OpenStreams late = new Command.OpenStreams(
                2, second, List.of(new Claim(stream, 5, stream().epoch())));
        long third = script.register(1);
        script.done(move(1, false));
        script.done(new Command.OpenStreams(
                1, third, List.of(new Claim(stream, 5, stream().epoch()))));
        script.done(move(2, false));
        script.done(resign(third, 42));
        assertThat(stream().ownerNodeId()).isEqualTo(2);
        assertThat(script.doneWithoutEffect(late)).isEmpty();

        script.done(move(1, false));
        script.done(new Command.ResignStreams(2, second, List.of(new Resignation(stream, 50, 0, 0, 0))));
        script.done(new Command.FenceNode(1, third));
        assertThat(stream().ownerNodeId()).isEqualTo(2);
        assertThat(stream().ownerNodeEpoch()).isNotEqualTo(second);
        assertThat(script.doneWithoutEffect(late)).isEmpty();
        script.done(new Command.OpenStreams(
                2, second, List.of(new Claim(stream, 60, stream().epoch()))));
        assertThat(stream().epochStarts())
                .last()
                .extracting(EpochStart::startOffset)
                .isEqualTo(60L);
    }

    @Test
    void aReturningNodeGetsItsStreamsBackByItself() {
        script.done(new Command.FenceNode(1, first));
        script.done(new Command.OpenStreams(2, second, List.of(new Claim(stream, 5))));
        script.upkeep(Observed.NOTHING);
        assertThat(stream().targetNodeId()).isEqualTo(-1);
        script.register(1);
        script.upkeep(Observed.NOTHING);
        assertThat(stream().targetNodeId()).isEqualTo(1);
    }

    @Test
    void aNodeThatLeavesGivesItsStreamsToSeveral() {
        script.register(3);
        script.createTopic("u", 30);
        List<Resignation> all = new ArrayList<>();
        List<Claim> claims = new ArrayList<>();
        for (StreamState each : script.state().streams().values()) {
            if (each.ownerNodeId() == 1 && each.streamId() != stream) {
                claims.add(new Claim(each.streamId(), 0));
                all.add(new Resignation(each.streamId(), 0, 0, 0, 0));
            }
        }
        script.done(new Command.OpenStreams(1, first, claims));
        assertThat(script.done(new Command.ResignStreams(1, first, all))).hasSize(all.size());
        assertThat(script.state().ownedBy(1)).isEqualTo(1);
        assertThat(script.state().ownedBy(2) - script.state().ownedBy(3)).isBetween(-1, 1);
    }

    @Test
    void aDrainedNodeIsAskedForAllItsStreamsAndGetsNoMore() {
        script.done(new Command.DrainNode(1, true));
        script.doneWithoutEffect(new Command.DrainNode(1, true));
        script.upkeep(Observed.NOTHING);
        assertThat(stream().targetNodeId()).isEqualTo(2);
        script.createTopic("later", 4);
        assertThat(script.state().ownedBy(1)).isEqualTo(1);
        script.done(resign(first, 1));
        assertThat(script.state().ownedBy(1)).isZero();
        script.done(new Command.DrainNode(1, false));
        script.refused(Reason.NOT_FOUND, new Command.DrainNode(9, true));
    }

    @Test
    void aWishToDrainIsAsGoodAsACommand() {
        script.upkeep(new Observed(Set.of(), Set.of(), Set.of(), Set.of(1)));
        assertThat(script.node(1).draining()).isTrue();
        assertThat(stream().targetNodeId()).isEqualTo(2);
    }

    private Command.MoveStreams move(int target, boolean pinned) {
        return new Command.MoveStreams(List.of(new Move(stream, target)), pinned);
    }

    private Command.ResignStreams resign(long epoch, long end) {
        return new Command.ResignStreams(1, epoch, List.of(new Resignation(stream, end, 7, 100, 50)));
    }

    private Command.ItemError error(Command.MoveStreams command) {
        return Objects.requireNonNull(script.doneWithoutEffect(command).get(0).error());
    }

    private StreamState stream() {
        return Objects.requireNonNull(script.state().streams().get(stream));
    }
}
