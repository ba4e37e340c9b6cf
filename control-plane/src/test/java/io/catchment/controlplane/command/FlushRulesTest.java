package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState.Checkpoint;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FlushRulesTest {
    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();
    private long a;
    private long b;

    @BeforeEach
    void createStreams() {
        script.createTopic("t", 2);
        a = script.stream("t", 0).streamId();
        b = script.stream("t", 1).streamId();
    }

    private long lastExtent;

    @Test
    void rangesAreAppendedAndTheObjectCountsThem() {
        long extent = script.sealedExtent(epoch, 100);
        long object = script.preparedObject(epoch);
        Command.PublishFlush flush = flush(
                extent,
                object,
                List.of(Script.range(a, 0, 3), Script.range(a, 3, 4), Script.range(b, 0, 9)),
                List.of(new NewCheckpoint(a, 4, 77, 7)));
        script.done(flush);

        assertThat(script.object(object).references()).isEqualTo(4);
        assertThat(script.object(object).phase()).isEqualTo(Phase.PUBLISHED);
        assertThat(script.object(object).bytes()).isEqualTo(1234);
        assertThat(script.extent(extent).phase()).isEqualTo(ExtentState.Phase.FLUSHED);
        assertThat(script.stream("t", 0).catalogEndOffset()).isEqualTo(4);
        assertThat(script.stream("t", 0).range(3).orElseThrow().baseOffset()).isEqualTo(3);
        assertThat(script.stream("t", 0).checkpoint()).isEqualTo(new Checkpoint(4, object, 77, 7, extent));
        script.doneWithoutEffect(flush);
    }

    @Test
    void aRangeAfterAGapWaitsForTheOneBefore() {
        long first = script.sealedExtent(epoch, 100);
        long second = script.sealedExtent(epoch, 100);
        Command.PublishFlush later =
                flush(second, script.preparedObject(epoch), List.of(Script.range(a, 5, 9)), List.of());
        script.refused(Reason.NOT_YET, later);
        script.done(flush(first, script.preparedObject(epoch), List.of(Script.range(a, 0, 5)), List.of()));
        script.done(later);
        assertThat(script.stream("t", 0).catalogEndOffset()).isEqualTo(9);
    }

    /** Streams that changed places: each extent has the later part of a stream that the other has the earlier part of. */
    @Test
    void extentsThatWaitForEachOtherArePublishedInParts() {
        long one = script.sealedExtent(epoch, 100);
        long other = script.sealedExtent(epoch, 100);
        long oneObject = script.preparedObject(epoch);
        long otherObject = script.preparedObject(epoch);
        Command.PublishFlush first = flush(
                one,
                oneObject,
                List.of(Script.range(a, 0, 5), Script.range(b, 5, 9), Script.range(a, 7, 8)),
                List.of(new NewCheckpoint(a, 8, 77, 7)));
        Command.PublishFlush second =
                flush(other, otherObject, List.of(Script.range(b, 0, 5), Script.range(a, 5, 7)), List.of());
        script.refused(Reason.NOT_YET, first);
        script.refused(Reason.NOT_YET, second);

        script.done(partOf(first));
        assertThat(script.extent(one).phase()).isEqualTo(ExtentState.Phase.SEALED);
        assertThat(script.stream("t", 0).catalogEndOffset()).isEqualTo(5);
        assertThat(script.stream("t", 1).catalogEndOffset()).isZero();
        assertThat(script.stream("t", 0).checkpoint()).isNull();
        assertThat(script.object(oneObject).phase()).isEqualTo(Phase.PUBLISHED);
        script.doneWithoutEffect(partOf(first));
        script.refused(Reason.NOT_YET, first);

        script.done(second);
        script.done(first);
        assertThat(script.extent(one).phase()).isEqualTo(ExtentState.Phase.FLUSHED);
        assertThat(script.stream("t", 0).catalog())
                .extracting(StreamRange::endOffset)
                .containsExactly(5L, 7L, 8L);
        assertThat(script.stream("t", 1).catalogEndOffset()).isEqualTo(9);
        assertThat(script.object(oneObject).references()).isEqualTo(4);
        assertThat(script.object(otherObject).references()).isEqualTo(2);
        script.doneWithoutEffect(first);
    }

    /** The uploader crashed after a part: the next one has a new object and only what is missing. */
    @Test
    void aFlushThatWasPublishedInPartMayEndInAnotherObject() {
        long extent = script.sealedExtent(epoch, 100);
        long begun = script.preparedObject(epoch);
        Command.PublishFlush first =
                flush(extent, begun, List.of(Script.range(a, 0, 5), Script.range(b, 5, 9)), List.of());
        script.done(partOf(first));
        script.done(flush(
                script.sealedExtent(epoch, 100),
                script.preparedObject(epoch),
                List.of(Script.range(b, 0, 5)),
                List.of()));
        long ended = script.preparedObject(epoch);
        script.refused(
                Reason.INVALID, flush(extent, ended, List.of(Script.range(a, 0, 5), Script.range(b, 5, 9)), List.of()));
        script.done(flush(extent, ended, List.of(Script.range(b, 5, 9)), List.of()));
        assertThat(script.extent(extent).phase()).isEqualTo(ExtentState.Phase.FLUSHED);
        assertThat(script.object(begun).references()).isEqualTo(1);
        assertThat(script.object(ended).references()).isEqualTo(1);
    }

    /** Each part has other entries, and each may come again. */
    @Test
    void aFlushOfMoreThanOneCommandIsPublishedInParts() {
        long extent = script.sealedExtent(epoch, 100);
        long object = script.preparedObject(epoch);
        NewCheckpoint ofA = new NewCheckpoint(a, 5, 77, 7);
        NewCheckpoint ofB = new NewCheckpoint(b, 9, 88, 8);
        List<Command.PublishFlush> parts = List.of(
                partOf(flush(extent, object, List.of(Script.range(a, 0, 5)), List.of())),
                partOf(flush(extent, object, List.of(Script.range(b, 0, 9)), List.of())),
                partOf(flush(extent, object, List.of(), List.of(ofA))),
                flush(extent, object, List.of(), List.of(ofB)));
        for (Command.PublishFlush part : parts) {
            assertThat(script.extent(extent).phase()).isEqualTo(ExtentState.Phase.SEALED);
            script.done(part);
            script.doneWithoutEffect(part);
        }
        assertThat(script.extent(extent).phase()).isEqualTo(ExtentState.Phase.FLUSHED);
        assertThat(script.object(object).references()).isEqualTo(4);
        assertThat(script.object(object).partial()).isFalse();
        assertThat(script.stream("t", 0).checkpoint()).isEqualTo(new Checkpoint(5, object, 77, 7, extent));
        assertThat(script.stream("t", 1).checkpoint()).isEqualTo(new Checkpoint(9, object, 88, 8, extent));
        parts.forEach(script::doneWithoutEffect);
    }

    /** Else an object without a reference would be published. */
    @Test
    void aPartWhoseCheckpointsAreOldOrAheadOfTheirStreamsHasNoEffect() {
        script.done(flush(
                script.sealedExtent(epoch, 100),
                script.preparedObject(epoch),
                List.of(Script.range(a, 0, 5)),
                List.of(new NewCheckpoint(a, 5, 77, 7))));
        long extent = script.sealedExtent(epoch, 100);
        long object = script.preparedObject(epoch);
        script.doneWithoutEffect(partOf(flush(
                extent,
                object,
                List.of(),
                List.of(
                        new NewCheckpoint(a, 4, 77, 7),
                        new NewCheckpoint(a, 6, 77, 7),
                        new NewCheckpoint(777, 1, 1, 1)))));
        assertThat(script.object(object).phase()).isEqualTo(Phase.PREPARED);
        script.done(flush(extent, object, List.of(), List.of(new NewCheckpoint(a, 4, 77, 7))));
        assertThat(script.object(object).phase()).isEqualTo(Phase.DOOMED);
    }

    private static Command.PublishFlush partOf(Command.PublishFlush flush) {
        return new Command.PublishFlush(
                flush.nodeId(),
                flush.nodeEpoch(),
                flush.extentId(),
                flush.objectId(),
                flush.objectBytes(),
                flush.ranges(),
                flush.checkpoints(),
                true);
    }

    @Test
    void offsetsAreNeverPublishedTwice() {
        script.done(flush(
                script.sealedExtent(epoch, 100),
                script.preparedObject(epoch),
                List.of(Script.range(a, 0, 5)),
                List.of()));
        script.refused(
                Reason.INVALID,
                flush(
                        script.sealedExtent(epoch, 100),
                        script.preparedObject(epoch),
                        List.of(Script.range(a, 4, 9)),
                        List.of()));
        script.refused(
                Reason.INVALID,
                flush(
                        script.sealedExtent(epoch, 100),
                        script.preparedObject(epoch),
                        List.of(Script.range(a, 5, 5)),
                        List.of()));
    }

    @Test
    void anExtentIsFlushedByOneObjectAndTheOtherExpires() {
        long extent = script.sealedExtent(epoch, 100);
        long winner = script.preparedObject(epoch);
        long loser = script.preparedObject(epoch);
        script.done(flush(extent, winner, List.of(Script.range(a, 0, 5)), List.of()));
        script.doneWithoutEffect(flush(extent, loser, List.of(Script.range(a, 0, 5)), List.of()));
        assertThat(script.object(loser).phase()).isEqualTo(Phase.PREPARED);

        script.doneWithoutEffect(new Command.ExpireObjects(List.of(loser)));
        script.pass(60_000);
        script.replay(Upkeep.due(script.state(), script.conditions(), Observed.NOTHING, state -> List.of()));
        assertThat(script.object(loser).phase()).isEqualTo(Phase.DOOMED);
        assertThat(script.object(winner).phase()).isEqualTo(Phase.PUBLISHED);
        assertThat(Upkeep.due(script.state(), script.conditions(), Observed.NOTHING, state -> List.of()))
                .isEmpty();
    }

    @Test
    void anObjectThatIsTooLateOrTakenIsRefused() {
        long late = script.preparedObject(epoch);
        script.pass(60_000);
        script.done(new Command.ExpireObjects(List.of(late, late, 999L)));
        List<NewRange> ranges = List.of(Script.range(a, 0, 5));
        long extent = script.sealedExtent(epoch, 100);
        script.refused(Reason.NOT_FOUND, flush(extent, late, ranges, List.of()));
        script.refused(Reason.NOT_FOUND, flush(extent, 999, ranges, List.of()));
        script.refused(Reason.INVALID, flush(extent, -1, ranges, List.of()));
        script.refused(Reason.NOT_FOUND, flush(999, -1, List.of(), List.of()));

        long object = script.preparedObject(epoch);
        script.done(flush(extent, object, ranges, List.of()));
        script.refused(
                Reason.INVALID,
                flush(script.sealedExtent(epoch, 1), object, List.of(Script.range(a, 5, 6)), List.of()));
    }

    @Test
    void onlyASealedExtentOfACurrentNodeIsPublished() {
        long open = script.done(new Command.CreateExtent(1, epoch, 1)).extentId();
        script.refused(Reason.NOT_YET, flush(open, -1, List.of(), List.of()));
        long extent = script.sealedExtent(epoch, 1);
        script.register(1);
        script.refused(Reason.FENCED, flush(extent, -1, List.of(), List.of()));
    }

    @Test
    void streamsThatAreGoneAreIgnoredAndAnObjectWithoutReferencesIsDoomed() {
        long extent = script.sealedExtent(epoch, 100);
        long mixed = script.preparedObject(epoch);
        script.done(flush(
                extent,
                mixed,
                List.of(Script.range(777, 40, 50), Script.range(a, 0, 5)),
                List.of(new NewCheckpoint(777, 1, 1, 1))));
        assertThat(script.object(mixed).references()).isEqualTo(1);

        long useless = script.preparedObject(epoch);
        script.done(flush(script.sealedExtent(epoch, 100), useless, List.of(Script.range(777, 40, 50)), List.of()));
        assertThat(script.object(useless).phase()).isEqualTo(Phase.DOOMED);
    }

    @Test
    void aNewerCheckpointMovesTheReferenceAndAnOlderOneDoesNot() {
        long first = publishCheckpoint(10);
        long second = publishCheckpoint(20);
        long extent = lastExtent;
        assertThat(script.object(first).phase()).isEqualTo(Phase.DOOMED);
        assertThat(script.object(second).references()).isEqualTo(1);
        long stale = publishCheckpoint(15);
        assertThat(script.object(stale).phase()).isEqualTo(Phase.DOOMED);
        assertThat(script.stream("t", 0).checkpoint()).isEqualTo(new Checkpoint(20, second, 0, 10, extent));
    }

    @Test
    void doomedObjectsAreForgottenAndNoOthers() {
        long doomed = publishCheckpoint(10);
        long published = publishCheckpoint(20);
        long prepared = script.preparedObject(epoch);
        script.refused(Reason.INVALID, new Command.ForgetObjects(List.of(doomed, published)));
        script.refused(Reason.INVALID, new Command.ForgetObjects(List.of(prepared)));
        script.done(new Command.ForgetObjects(List.of(doomed, doomed)));
        assertThat(script.state().objects()).doesNotContainKey(doomed);
        script.doneWithoutEffect(new Command.ForgetObjects(List.of(doomed)));
    }

    @Test
    void objectIdsAreGivenOutOnceAndOnlyToCurrentNodes() {
        List<Long> first = script.done(new Command.PrepareObjects(1, epoch, 3, 10));
        List<Long> second = script.done(new Command.PrepareObjects(1, epoch, 2, 10));
        assertThat(first).hasSize(3).doesNotContainAnyElementsOf(second);
        assertThat(script.object(second.get(1)).deadlineMs())
                .isEqualTo(script.conditions().nowMs() + 10);
        script.refused(Reason.INVALID, new Command.PrepareObjects(1, epoch, 0, 10));
        script.refused(Reason.INVALID, new Command.PrepareObjects(1, epoch, ObjectRules.IDS_MAX + 1, 10));
        script.refused(Reason.FENCED, new Command.PrepareObjects(1, epoch - 1, 1, 10));
    }

    @Test
    void theLargestFlushFitsIntoOneBatch() {
        script.createTopic("many", TopicRules.PARTITIONS_MAX);
        List<Long> streams = script.topic("many").streams();
        List<NewRange> ranges = new ArrayList<>();
        LongStream.range(0, Command.PublishFlush.ENTRIES_MAX)
                .forEach(i -> ranges.add(new NewRange(
                        streams.get((int) (i % streams.size())),
                        i / streams.size() * 1000,
                        (i / streams.size() + 1) * 1000,
                        i << 12,
                        1 << 20,
                        1_800_000_000_000L,
                        1_800_000_000_000L)));
        Decision<Command.Done> decision = CommandRules.decide(
                flush(script.sealedExtent(epoch, 1), script.preparedObject(epoch), ranges, List.of()),
                script.state(),
                script.conditions());
        Decision.Accepted<Command.Done> accepted = (Decision.Accepted<Command.Done>) decision;
        assertThat(LogRecordSerde.INSTANCE.recordSize(accepted.records().get(0), new ObjectSerializationCache()))
                .isLessThan(ReplicatedLog.BATCH_BYTES_MAX);
    }

    private long publishCheckpoint(long offset) {
        long object = script.preparedObject(epoch);
        lastExtent = script.sealedExtent(epoch, 1);
        script.done(flush(lastExtent, object, List.of(), List.of(new NewCheckpoint(a, offset, 0, 10))));
        return object;
    }

    private Command.PublishFlush flush(
            long extentId, long objectId, List<NewRange> ranges, List<NewCheckpoint> checkpoints) {
        return new Command.PublishFlush(1, epoch, extentId, objectId, 1234, ranges, checkpoints);
    }
}
