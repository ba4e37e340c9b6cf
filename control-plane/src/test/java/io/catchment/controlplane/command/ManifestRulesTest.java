package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.Command.MergedRange;
import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.Command.PublishManifest;
import io.catchment.controlplane.Command.ReleaseManifest;
import io.catchment.controlplane.Command.Trim;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ManifestDigest;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ManifestRulesTest {
    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();
    private Uuid topic;
    private long a;
    private long b;
    private final List<Long> objects = new ArrayList<>();

    /** Stream a: six ranges of ten offsets, each alone in an object. */
    @BeforeEach
    void sixObjects() {
        topic = script.createTopic("t", 2);
        a = script.stream("t", 0).streamId();
        b = script.stream("t", 1).streamId();
        script.done(new Command.OpenStreams(1, epoch, List.of(new Claim(a, 0), new Claim(b, 0))));
        for (int i = 0; i < 6; i++) {
            objects.add(publish(Script.range(a, i * 10, i * 10 + 10)));
        }
    }

    @Test
    void theFirstRangesLeaveTheCatalogAndTheirObjectsTheState() {
        List<OwnedRange> taken = owned(0, 4);
        long manifest = script.preparedObject(epoch);
        PublishManifest command = publish(manifest, PublishManifest.NO_OBJECT, taken);
        script.done(command);
        assertThat(stream().catalog()).extracting(StreamRange::baseOffset).containsExactly(40L, 50L);
        assertThat(stream().manifests()).containsExactly(ManifestRef.of(manifest, taken));
        ManifestRef ref = stream().manifests().get(0);
        assertThat(ref.bytes()).isEqualTo(400);
        assertThat(ref.ranges()).isEqualTo(4);
        assertThat(stream().publishedBytes()).isEqualTo(600);
        assertThat(stream().manifest(39)).contains(ref);
        assertThat(stream().manifest(40)).isEmpty();
        assertThat(stream().range(39)).isEmpty();
        assertThat(stream().catalogEndOffset()).isEqualTo(60);
        assertThat(script.state().objects().keySet()).doesNotContainAnyElementsOf(objects.subList(0, 4));
        assertThat(script.object(manifest).references()).isOne();
        script.doneWithoutEffect(command);
    }

    @Test
    void aLargerOneTakesThePlaceOfTheNewest() {
        List<OwnedRange> first = owned(0, 2);
        long one = manifest(PublishManifest.NO_OBJECT, first);
        List<OwnedRange> more = new ArrayList<>(first);
        more.addAll(owned(0, 2));
        long two = manifest(one, more);
        assertThat(stream().manifests()).extracting(ManifestRef::objectId).containsExactly(two);
        assertThat(script.object(one).phase()).isEqualTo(Phase.DOOMED);
        long three = manifest(PublishManifest.NO_OBJECT, owned(0, 1));
        assertThat(stream().manifests()).extracting(ManifestRef::objectId).containsExactly(two, three);
    }

    @Test
    void aStreamThatChangedMeanwhileIsLeftAsItIs() {
        List<OwnedRange> taken = owned(0, 3);
        long merged = script.preparedObject(epoch);
        script.done(new Command.PublishMerge(
                1,
                epoch,
                merged,
                5_000,
                List.of(new MergedRange(Script.range(a, 10, 30), List.of(objects.get(1), objects.get(2))))));
        long useless = script.preparedObject(epoch);
        script.doneWithoutEffect(publish(useless, PublishManifest.NO_OBJECT, taken));
        long one = manifest(PublishManifest.NO_OBJECT, owned(0, 2));
        script.doneWithoutEffect(publish(useless, PublishManifest.NO_OBJECT, owned(1, 2)));
        List<OwnedRange> wrong =
                new ArrayList<>(List.of(new OwnedRange(taken.get(0).range(), 1)));
        wrong.addAll(List.of(new OwnedRange(new StreamRange(10, 30, merged, 0, 100, 5, 6), 5_000)));
        wrong.addAll(owned(0, 1));
        script.doneWithoutEffect(publish(useless, one, wrong));
        script.doneWithoutEffect(publish(useless, useless, owned(0, 1)));
        script.doneWithoutEffect(publish(useless, PublishManifest.NO_OBJECT, owned(0, 3)));
        script.done(new Command.DeleteTopics(List.of(topic)));
        script.doneWithoutEffect(publish(useless, PublishManifest.NO_OBJECT, taken));
        assertThat(script.object(useless).phase()).as("it expires").isEqualTo(Phase.PREPARED);
    }

    @Test
    void onlyWhatIsAloneInItsObjectIsTaken() {
        objects.add(publish(Script.range(a, 60, 70), Script.range(b, 0, 5)));
        long held = script.preparedObject(epoch);
        script.done(new Command.PublishFlush(
                1,
                epoch,
                script.sealedExtent(epoch, 100),
                held,
                1234,
                List.of(Script.range(a, 70, 80)),
                List.of(new NewCheckpoint(a, 80, 200, 10))));
        objects.add(held);
        long open = script.preparedObject(epoch);
        long extent = script.sealedExtent(epoch, 100);
        List<NewRange> inTwoSteps = List.of(Script.range(a, 80, 90), Script.range(b, 10, 20));
        script.done(new Command.PublishFlush(1, epoch, extent, open, 1234, inTwoSteps, List.of(), true));
        objects.add(open);
        publish(Script.range(a, 90, 100));
        manifest(PublishManifest.NO_OBJECT, owned(0, 6));
        long useless = script.preparedObject(epoch);
        for (long each : List.of(60L, 70L, 80L)) {
            script.doneWithoutEffect(publish(useless, PublishManifest.NO_OBJECT, owned(0, 1)));
            script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, each + 10))));
        }
        assertThat(script.object(open).phase()).isEqualTo(Phase.DOOMED);
    }

    @Test
    void whatIsPublishedInTwoStepsStaysInTheStateUntilTheSecond() {
        long open = script.preparedObject(epoch);
        long extent = script.sealedExtent(epoch, 100);
        List<NewRange> inTwoSteps = List.of(Script.range(a, 60, 70), Script.range(b, 10, 20));
        script.done(new Command.PublishFlush(1, epoch, extent, open, 1234, inTwoSteps, List.of(), true));
        publish(Script.range(a, 70, 80));
        script.doneWithoutEffect(publish(script.preparedObject(epoch), PublishManifest.NO_OBJECT, owned(0, 7)));
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(b, 20))));
        script.done(new Command.PublishFlush(1, epoch, extent, open, 1234, inTwoSteps, List.of()));
        manifest(PublishManifest.NO_OBJECT, owned(0, 7));
    }

    @Test
    void aTrimInsideReleasesWhatIsBeforeIt() {
        List<OwnedRange> taken = owned(0, 5);
        long manifest = manifest(PublishManifest.NO_OBJECT, taken);
        script.refused(Reason.INVALID, release(manifest, taken, 1));
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, 25))));
        assertThat(stream().manifests()).hasSize(1);
        script.refused(Reason.INVALID, release(manifest, taken, 3));
        ReleaseManifest command = release(manifest, taken, 2);
        script.done(command);
        ManifestRef left = stream().manifests().get(0);
        assertThat(left.ranges()).isEqualTo(3);
        assertThat(left.baseOffset()).isEqualTo(20);
        assertThat(left.bytes()).isEqualTo(300);
        assertThat(left.digest()).isEqualTo(ManifestDigest.of(taken.subList(2, 5), ManifestDigest.NOTHING));
        assertDoomed(0, 2);
        script.doneWithoutEffect(command);

        List<OwnedRange> more = new ArrayList<>(taken.subList(2, 5));
        publish(Script.range(a, 60, 70));
        more.addAll(owned(0, 1));
        long larger = manifest(manifest, more);
        assertThat(stream().manifests()).containsExactly(ManifestRef.of(larger, more));
        script.doneWithoutEffect(command);
    }

    @Test
    void aTrimBehindItRetiresItUntilItsObjectsAreNamed() {
        List<OwnedRange> taken = owned(0, 4);
        long manifest = manifest(PublishManifest.NO_OBJECT, taken);
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, 43))));
        assertThat(stream().manifests()).isEmpty();
        assertThat(script.state().retired().keySet()).containsExactly(manifest);
        assertThat(script.object(manifest).phase()).isEqualTo(Phase.PUBLISHED);
        script.refused(Reason.INVALID, new ReleaseManifest(1, epoch, a, manifest, taken.subList(0, 3), null, 0));
        script.doneWithoutEffect(release(manifest, taken, 2));
        ReleaseManifest command = new ReleaseManifest(1, epoch, a, manifest, taken, null, 0);
        script.done(command);
        assertDoomed(0, 4);
        assertThat(script.object(manifest).phase()).isEqualTo(Phase.DOOMED);
        assertThat(script.state().retired()).isEmpty();
        script.doneWithoutEffect(command);
    }

    @Test
    void aDeletedTopicRetiresItsManifests() {
        List<OwnedRange> taken = owned(0, 4);
        long manifest = manifest(PublishManifest.NO_OBJECT, taken);
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, 10))));
        script.done(release(manifest, taken, 1));
        script.done(new Command.DeleteTopics(List.of(topic)));
        script.done(new ReleaseManifest(1, epoch, a, manifest, taken.subList(1, 4), null, 0));
        assertDoomed(0, 4);
        List<Long> doomed = script.state().objects().values().stream()
                .map(ObjectState::objectId)
                .toList();
        script.done(new Command.ForgetObjects(doomed));
        assertThat(script.state().objects()).isEmpty();
    }

    @Test
    void nobodyNamesOtherObjects() {
        List<OwnedRange> taken = owned(0, 4);
        long manifest = manifest(PublishManifest.NO_OBJECT, taken);
        script.done(new Command.TrimStreams(1, epoch, List.of(new Trim(a, 40))));
        List<OwnedRange> lie = new ArrayList<>(taken);
        StreamRange one = taken.get(1).range();
        lie.set(1, new OwnedRange(new StreamRange(10, 20, objects.get(5), 0, 100, 5, 6), 1234));
        script.refused(Reason.INVALID, new ReleaseManifest(1, epoch, a, manifest, lie, null, 0));
        lie.set(1, new OwnedRange(one, 1));
        script.refused(Reason.INVALID, new ReleaseManifest(1, epoch, a, manifest, lie, null, 0));
        script.done(new Command.FenceNode(1, epoch));
        script.refused(Reason.FENCED, new ReleaseManifest(1, epoch, a, manifest, taken, null, 0));
        script.refused(Reason.FENCED, publish(manifest, PublishManifest.NO_OBJECT, taken));
    }

    @Test
    void whatCannotBeIsRefused() {
        List<OwnedRange> taken = owned(0, 3);
        long object = script.preparedObject(epoch);
        script.refused(Reason.NOT_FOUND, publish(4711, PublishManifest.NO_OBJECT, taken));
        script.refused(Reason.INVALID, publish(objects.get(5), PublishManifest.NO_OBJECT, taken));
        script.refused(Reason.INVALID, publish(object, PublishManifest.NO_OBJECT, List.of()));
        script.refused(Reason.INVALID, publish(object, PublishManifest.NO_OBJECT, List.of(taken.get(0), taken.get(2))));
        script.refused(Reason.INVALID, new ReleaseManifest(1, epoch, a, object, List.of(), null, 0));
        script.doneWithoutEffect(new ReleaseManifest(1, epoch, a, object, taken, null, 0));
    }

    private void assertDoomed(int from, int to) {
        for (long object : objects.subList(from, to)) {
            assertThat(script.object(object).phase()).isEqualTo(Phase.DOOMED);
            assertThat(script.object(object).bytes()).isEqualTo(1234);
        }
    }

    private PublishManifest publish(long object, long replaced, List<OwnedRange> ranges) {
        return new PublishManifest(1, epoch, a, object, 99, replaced, ranges);
    }

    /** The object. */
    private long manifest(long replaced, List<OwnedRange> ranges) {
        long object = script.preparedObject(epoch);
        script.done(publish(object, replaced, ranges));
        assertThat(script.object(object).references()).isOne();
        return object;
    }

    private ReleaseManifest release(long manifest, List<OwnedRange> all, int count) {
        return new ReleaseManifest(
                1,
                epoch,
                a,
                manifest,
                all.subList(0, count),
                all.get(count),
                ManifestDigest.of(all.subList(count + 1, all.size()), ManifestDigest.NOTHING));
    }

    /** Of the catalog as it is now. */
    private List<OwnedRange> owned(int from, int to) {
        return stream().catalog().subList(from, to).stream()
                .map(range -> new OwnedRange(
                        range,
                        Objects.requireNonNull(script.state().objects().get(range.objectId()))
                                .bytes()))
                .toList();
    }

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
