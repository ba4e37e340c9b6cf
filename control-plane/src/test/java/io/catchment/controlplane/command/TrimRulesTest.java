package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.Command.Trim;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.EpochStart;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TrimRulesTest {
    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();
    private long a;
    private long b;

    @BeforeEach
    void openStreams() {
        script.createTopic("t", 2);
        a = script.stream("t", 0).streamId();
        b = script.stream("t", 1).streamId();
        script.done(new Command.OpenStreams(1, epoch, List.of(new Claim(a, 0), new Claim(b, 0))));
    }

    @Test
    void rangesBeforeTheStartGoAndTheirObjectsAreDoomed() {
        long first = publish(List.of(Script.range(a, 0, 5), Script.range(a, 5, 9)), List.of());
        long second = publish(List.of(Script.range(a, 9, 20), Script.range(b, 0, 1)), List.of());
        script.done(trim(new Trim(a, 5)));
        assertThat(stream().logStartOffset()).isEqualTo(5);
        assertThat(stream().catalog()).extracting(StreamRange::baseOffset).containsExactly(5L, 9L);
        assertThat(script.object(first).references()).isEqualTo(1);

        script.done(trim(new Trim(a, 12)));
        assertThat(stream().catalog()).extracting(StreamRange::baseOffset).containsExactly(9L);
        assertThat(script.object(first).phase()).isEqualTo(Phase.DOOMED);
        assertThat(script.object(second).references()).isEqualTo(2);
        script.doneWithoutEffect(trim(new Trim(a, 12)));
        script.doneWithoutEffect(trim(new Trim(a, 3)));

        script.done(trim(new Trim(a, 20), new Trim(b, 1)));
        assertThat(script.object(second).phase()).isEqualTo(Phase.DOOMED);
        assertThat(stream().catalogEndOffset()).isEqualTo(20);
        publish(List.of(Script.range(a, 20, 21)), List.of());
    }

    @Test
    void aCheckpointKeepsItsObject() {
        long object = publish(List.of(Script.range(a, 0, 5)), List.of(new NewCheckpoint(a, 5, 10, 20)));
        script.done(trim(new Trim(a, 5)));
        assertThat(script.object(object).phase()).isEqualTo(Phase.PUBLISHED);
        long next = publish(List.of(Script.range(a, 5, 6)), List.of(new NewCheckpoint(a, 6, 10, 20)));
        assertThat(script.object(object).phase()).isEqualTo(Phase.DOOMED);
        assertThat(script.object(next).references()).isEqualTo(2);
    }

    @Test
    void whatWasDeletedBeforeItsFlushIsNotPublished() {
        script.done(trim(new Trim(a, 12)));
        long extent = script.sealedExtent(epoch, 100);
        long object = script.preparedObject(epoch);
        Command.PublishFlush flush =
                flush(extent, object, List.of(Script.range(a, 0, 5), Script.range(b, 0, 7)), List.of());
        script.done(flush);
        assertThat(stream().catalog()).isEmpty();
        assertThat(script.object(object).references()).isEqualTo(1);

        long gone = publish(List.of(Script.range(a, 5, 12)), List.of());
        assertThat(script.object(gone).phase()).isEqualTo(Phase.DOOMED);
        // The range with the new start in it is published whole, and only that one may be the first
        long later = script.sealedExtent(epoch, 100);
        script.refused(
                Reason.NOT_YET,
                flush(later, script.preparedObject(epoch), List.of(Script.range(a, 13, 15)), List.of()));
        publish(List.of(Script.range(a, 10, 13), Script.range(a, 13, 15)), List.of());
        assertThat(stream().catalog()).extracting(StreamRange::baseOffset).containsExactly(10L, 13L);
        assertThat(script.stream("t", 1).catalogEndOffset()).isEqualTo(7);
    }

    @Test
    void anExtentPublishedInPartIsEndedAfterItsPartWasTrimmed() {
        long extent = script.sealedExtent(epoch, 100);
        long object = script.preparedObject(epoch);
        List<NewRange> ranges = List.of(Script.range(a, 0, 5), Script.range(b, 0, 2), Script.range(b, 3, 4));
        script.done(new Command.PublishFlush(1, epoch, extent, object, 10, ranges, List.of(), true));
        script.done(trim(new Trim(a, 5)));
        publish(List.of(Script.range(b, 2, 3)), List.of());
        script.done(flush(extent, object, ranges, List.of()));
        assertThat(script.extent(extent).phase()).isEqualTo(ExtentState.Phase.FLUSHED);
        assertThat(stream().catalog()).isEmpty();
        assertThat(script.object(object).references()).isEqualTo(2);
    }

    @Test
    void epochsWithoutOffsetsGo() {
        publish(List.of(Script.range(a, 0, 10)), List.of());
        script.done(new Command.OpenStreams(1, epoch, List.of(new Claim(a, 10))));
        script.done(new Command.OpenStreams(1, epoch, List.of(new Claim(a, 20))));
        script.done(trim(new Trim(a, 5)));
        assertThat(stream().epochStarts())
                .containsExactly(new EpochStart(1, 5), new EpochStart(2, 10), new EpochStart(3, 20));
        script.done(trim(new Trim(a, 10)));
        assertThat(stream().epochStarts()).containsExactly(new EpochStart(2, 10), new EpochStart(3, 20));
        script.done(trim(new Trim(a, 25)));
        assertThat(stream().epochStarts()).containsExactly(new EpochStart(3, 25));
    }

    @Test
    void onlyTheOwnerTrimsInItsEpoch() {
        publish(List.of(Script.range(a, 0, 5)), List.of());
        long other = script.register(2);
        script.doneWithoutEffect(new Command.TrimStreams(2, other, List.of(new Trim(a, 3))));
        script.doneWithoutEffect(trim(new Trim(999, 3)));
        script.refused(Reason.INVALID, trim(new Trim(a, 3), new Trim(a, 4)));
        script.done(new Command.FenceNode(1, epoch));
        script.refused(Reason.FENCED, trim(new Trim(a, 3)));
        assertThat(stream().logStartOffset()).isZero();
    }

    private Command.TrimStreams trim(Trim... trims) {
        return new Command.TrimStreams(1, epoch, List.of(trims));
    }

    /** The object. */
    private long publish(List<NewRange> ranges, List<NewCheckpoint> checkpoints) {
        long object = script.preparedObject(epoch);
        script.done(flush(script.sealedExtent(epoch, 100), object, ranges, checkpoints));
        return object;
    }

    private Command.PublishFlush flush(
            long extent, long object, List<NewRange> ranges, List<NewCheckpoint> checkpoints) {
        return new Command.PublishFlush(1, epoch, extent, object, 1234, ranges, checkpoints);
    }

    private StreamState stream() {
        return script.stream("t", 0);
    }
}
