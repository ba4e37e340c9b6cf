package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.Command.MergedRange;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.Command.Trim;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MergeRulesTest {
    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();
    private long a;
    private long b;
    private long first;
    private long second;
    private long third;

    @BeforeEach
    void threeObjects() {
        script.createTopic("t", 2);
        a = script.stream("t", 0).streamId();
        b = script.stream("t", 1).streamId();
        script.done(new Command.OpenStreams(1, epoch, List.of(new Claim(a, 0), new Claim(b, 0))));
        first = publish(Script.range(a, 0, 5), Script.range(b, 0, 2));
        second = publish(Script.range(a, 5, 9), Script.range(b, 2, 3));
        third = publish(Script.range(a, 9, 12));
    }

    @Test
    void oneRangeTakesThePlaceOfSeveral() {
        long object = script.preparedObject(epoch);
        Command.PublishMerge merge = merge(object, merged(a, 0, 9, first, second), merged(b, 0, 3, first, second));
        script.done(merge);
        assertThat(stream().catalog()).extracting(StreamRange::objectId).containsExactly(object, third);
        assertThat(stream().catalog()).extracting(StreamRange::endOffset).containsExactly(9L, 12L);
        assertThat(stream().range(7).orElseThrow().baseOffset()).isZero();
        assertThat(script.object(object).references()).isEqualTo(2);
        assertThat(script.object(first).phase()).isEqualTo(Phase.DOOMED);
        assertThat(script.object(second).phase()).isEqualTo(Phase.DOOMED);
        script.doneWithoutEffect(merge);
        publish(Script.range(a, 12, 13));
    }

    @Test
    void aStreamThatChangedMeanwhileIsLeftAsItIs() {
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, 5))));
        long object = script.preparedObject(epoch);
        script.done(merge(object, merged(a, 0, 9, first, second), merged(b, 0, 3, first, second)));
        assertThat(stream().catalog()).extracting(StreamRange::objectId).containsExactly(second, third);
        assertThat(script.object(object).references()).isEqualTo(1);

        long useless = script.preparedObject(epoch);
        script.doneWithoutEffect(merge(useless, merged(a, 5, 12, second, first)));
        script.doneWithoutEffect(merge(useless, merged(a, 5, 11, second, third)));
        script.doneWithoutEffect(merge(useless, merged(a, 6, 12, second, third)));
        script.doneWithoutEffect(merge(useless, merged(a, 9, 15, third, third)));
        script.doneWithoutEffect(merge(useless, merged(999, 0, 9, first, second)));
        assertThat(script.object(useless).phase()).as("it expires").isEqualTo(Phase.PREPARED);
        script.done(merge(useless, merged(a, 5, 12, second, third)));
    }

    @Test
    void aBeginningInsideTheFirstRangeStays() {
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, 3))));
        script.done(merge(script.preparedObject(epoch), merged(a, 0, 12, first, second, third)));
        assertThat(stream().logStartOffset()).isEqualTo(3);
        assertThat(stream().catalog()).hasSize(1);
    }

    @Test
    void theCleanerPointMovesWithTheSwapOrNotAtAllAndNeverBack() {
        script.done(merge(script.preparedObject(epoch), cleaned(7, a, 0, 9, first, second)));
        assertThat(stream().cleanedTo()).isEqualTo(7);
        long merged = stream().catalog().get(0).objectId();
        script.doneWithoutEffect(merge(script.preparedObject(epoch), cleaned(12, a, 9, 12, second)));
        assertThat(stream().cleanedTo()).isEqualTo(7);
        script.done(merge(script.preparedObject(epoch), cleaned(12, a, 9, 12, third)));
        script.done(merge(script.preparedObject(epoch), cleaned(8, a, 0, 9, merged)));
        assertThat(stream().cleanedTo()).isEqualTo(12);
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, 12))));
        assertThat(stream().cleanedTo()).isEqualTo(12);
        script.refused(Reason.INVALID, merge(script.preparedObject(epoch), cleaned(13, a, 9, 12, third)));
        script.refused(Reason.INVALID, merge(script.preparedObject(epoch), cleaned(9, a, 9, 12, third)));
    }

    @Test
    void whatCannotBeIsRefused() {
        long object = script.preparedObject(epoch);
        script.refused(Reason.NOT_FOUND, merge(4711, merged(a, 0, 9, first, second)));
        script.refused(Reason.INVALID, merge(third, merged(a, 0, 9, first, second)));
        script.refused(Reason.INVALID, merge(object, merged(a, 0, 9, first, second), merged(a, 9, 12, third)));
        script.refused(Reason.INVALID, merge(object, merged(a, 0, 9)));
        script.done(new Command.FenceNode(1, epoch));
        script.refused(Reason.FENCED, merge(object, merged(a, 0, 9, first, second)));
    }

    private static MergedRange cleaned(long cleanedTo, long stream, long base, long end, Long... inputs) {
        return new MergedRange(Script.range(stream, base, end), List.of(inputs), cleanedTo);
    }

    private static MergedRange merged(long stream, long base, long end, Long... inputs) {
        return new MergedRange(Script.range(stream, base, end), List.of(inputs));
    }

    private Command.PublishMerge merge(long object, MergedRange... ranges) {
        return new Command.PublishMerge(1, epoch, object, 5_000, List.of(ranges));
    }

    /** The object. */
    private long publish(NewRange... ranges) {
        long object = script.preparedObject(epoch);
        script.done(new Command.PublishFlush(
                1, epoch, script.sealedExtent(epoch, 100), object, 1234, List.of(ranges), List.of()));
        return object;
    }

    private StreamState stream() {
        return script.stream("t", 0);
    }
}
