package io.catchment.controlplane.archive;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Checkpoint;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.command.Script;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.StateInvariants;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A new cluster's state from an archive and the bucket. */
class RestorationTest {
    private static final long NEXT = Restoration.idFloor(2);
    private static final Uuid HISTORY = new Uuid(4, 2);

    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();
    /** What the bucket has: by object id. */
    private final Map<Long, Upload> bucket = new TreeMap<>();

    /** Of these, what can be read as a manifest. */
    private final Map<Long, List<OwnedRange>> manifests = new HashMap<>();

    private long a;
    private long b;

    private record Upload(List<NewRange> ranges, List<NewCheckpoint> checkpoints) {}

    @BeforeEach
    void createStreams() {
        script.createTopic("t", 2);
        a = script.stream("t", 0).streamId();
        b = script.stream("t", 1).streamId();
        script.done(new Command.OpenStreams(1, epoch, List.of(new Command.Claim(a, 0), new Command.Claim(b, 0))));
    }

    private long uploaded(List<NewRange> ranges, NewCheckpoint... checkpoints) {
        long object = script.preparedObject(epoch);
        bucket.put(object, new Upload(ranges, List.of(checkpoints)));
        return object;
    }

    private long published(List<NewRange> ranges, NewCheckpoint... checkpoints) {
        long extent = script.sealedExtent(epoch, 100);
        long object = uploaded(ranges, checkpoints);
        script.done(new Command.PublishFlush(1, epoch, extent, object, 100, ranges, List.of(checkpoints), false));
        return object;
    }

    /** The first ranges of stream a, so many, are in a manifest. Answers its id. */
    private long moved(int count) {
        List<OwnedRange> ranges = script.stream("t", 0).catalog().subList(0, count).stream()
                .map(range ->
                        new OwnedRange(range, script.object(range.objectId()).bytes()))
                .toList();
        long manifest = uploaded(List.of());
        manifests.put(manifest, ranges);
        script.done(new Command.PublishManifest(1, epoch, a, manifest, 100, Command.PublishManifest.NO_OBJECT, ranges));
        assertThat(script.stream("t", 0).manifests())
                .extracting(ManifestRef::objectId)
                .contains(manifest);
        return manifest;
    }

    private StateArchive.Contents archive() {
        return Archives.of(script.image(), 1);
    }

    private Restoration.Restored restore(StateArchive.Contents archive) {
        return restore(archive, 2);
    }

    private Restoration.Restored restore(StateArchive.Contents archive, long generation) {
        Restoration restoration = new Restoration(archive, "new", HISTORY, generation, 999);
        for (ManifestRef manifest : restoration.manifests()) {
            List<OwnedRange> ranges = manifests.get(manifest.objectId());
            if (ranges != null) {
                restoration.owns(manifest, ranges.subList(ranges.size() - manifest.ranges(), ranges.size()));
            }
        }
        bucket.forEach((id, upload) -> {
            if (restoration.listed(id, 100)) {
                restoration.found(id, upload.ranges(), upload.checkpoints());
            }
        });
        Restoration.Restored restored = restoration.finish();
        StateInvariants.check(restored.image().state(), restored.image().metadata());
        return restored;
    }

    private static StreamState stream(Restoration.Restored restored, long id) {
        return restored.image().stream(id).orElseThrow();
    }

    @Test
    void noIdOfAnObjectInTheBucketIsGivenOutAgainThoughItIsOfTheSameGeneration() {
        published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents archive = archive();
        long later = published(List.of(Script.range(a, 10, 20)));
        long unused = uploaded(List.of());

        Restoration.Restored restored = restore(archive, 1);
        assertThat(stream(restored, a).catalogEndOffset()).isEqualTo(20);
        assertThat(restored.image().object(later).orElseThrow().references()).isEqualTo(1);
        assertThat(restored.image().nextObjectId()).isEqualTo(unused + 1);
    }

    @Test
    void producerIdsGivenOutAfterTheArchiveAreNotGivenOutAgainThoughItIsOfBeforeTheFirst() {
        StateArchive.Contents archive = archive();
        assertThat(archive.records()).noneMatch(record -> record.toString().contains("ProducerIdsRecord"));
        script.done(new Command.AllocateProducerIds(1, epoch));

        Restoration.Restored restored = restore(archive);
        assertThat(restored.image().metadata().producerIds().nextProducerId()).isEqualTo(NEXT);
        Script cluster = Script.on(restored.image());
        long first = cluster.done(new Command.AllocateProducerIds(1, cluster.register(1)))
                .firstId();
        assertThat(first).isEqualTo(NEXT);
    }

    @Test
    void whatDependedOnTheOldMachinesIsGoneAndAllElseStays() {
        long object =
                published(List.of(Script.range(a, 0, 10), Script.range(b, 0, 5)), new NewCheckpoint(a, 10, 77, 7));
        script.done(new Command.AlterConfigs(ConfigResource.Type.TOPIC.id(), "t", Map.of("retention.ms", "12345")));
        script.done(new Command.AllocateProducerIds(1, epoch));
        script.done(new Command.TrimStreams(1, epoch, List.of(new Command.Trim(a, 3))));
        script.done(new Command.CreateExtent(1, epoch, 1));
        script.sealedExtent(epoch, 4000);
        StreamState before = script.stream("t", 0);

        Restoration.Restored restored = restore(archive());
        ClusterState state = restored.image().state();
        assertThat(restored.image().clusterId()).isEqualTo("new");
        assertThat(script.image().historyId()).hasValue(new Uuid(4, 1));
        assertThat(restored.image().historyId()).as("of its own").hasValue(HISTORY);
        assertThat(state.nodes()).isEmpty();
        assertThat(state.extents()).isEmpty();
        assertThat(state.tasks()).isEmpty();
        assertThat(state.sessions()).isEmpty();
        assertThat(state.configs()).isEqualTo(script.state().configs());
        assertThat(state.features()).isEqualTo(script.state().features());
        assertThat(state.topicNames()).isEqualTo(script.state().topicNames());
        assertThat(restored.openStreams()).isEqualTo(2);
        assertThat(restored.unflushedBytes()).isEqualTo(4000);
        assertThat(restored.missing()).isEmpty();

        StreamState stream = stream(restored, a);
        assertThat(stream.catalog()).isEqualTo(before.catalog());
        assertThat(stream.logStartOffset()).isEqualTo(3);
        assertThat(stream.epochStarts()).isEqualTo(before.epochStarts());
        assertThat(stream.checkpoint()).isEqualTo(new Checkpoint(10, object, 77, 7, 0));
        assertThat(stream.ownerNodeId()).isEqualTo(ClusterState.NO_OWNER);
        assertThat(stream.epoch()).isEqualTo(before.epoch() + ArchivedRecords.EPOCHS_SKIPPED);
        assertThat(stream.writers()).isEmpty();

        assertThat(state.nextObjectId()).isEqualTo(NEXT);
        assertThat(state.nextStreamId()).isEqualTo(NEXT);
        assertThat(state.nextExtentId()).isEqualTo(NEXT);
        assertThat(state.nextEpoch()).isEqualTo(NEXT);
        assertThat(state.nextProducerId()).isEqualTo(NEXT);
        assertThat(restored.image().metadata().producerIds().nextProducerId()).isEqualTo(NEXT);
    }

    @Test
    void whatWasPublishedAfterTheArchiveIsFoundByTheFooters() {
        published(List.of(Script.range(a, 0, 10)), new NewCheckpoint(a, 10, 70, 7));
        StateArchive.Contents archive = archive();
        published(List.of(Script.range(a, 10, 20), Script.range(b, 0, 4)), new NewCheckpoint(a, 20, 71, 7));
        long last = published(List.of(Script.range(a, 20, 21)), new NewCheckpoint(a, 21, 72, 7));

        Restoration.Restored restored = restore(archive);
        assertThat(stream(restored, a).catalog())
                .isEqualTo(script.stream("t", 0).catalog());
        assertThat(stream(restored, b).catalog())
                .isEqualTo(script.stream("t", 1).catalog());
        assertThat(stream(restored, a).checkpoint()).isEqualTo(new Checkpoint(21, last, 72, 7, 0));
        assertThat(restored.reattachedRanges()).isEqualTo(3);
        assertThat(restored.reattachedObjects()).isEqualTo(2);
        assertThat(restored.image().objects()).allMatch(object -> object.phase() == Phase.PUBLISHED);
    }

    @Test
    void theRestOfWhatWasPublishedInPartIsFoundToo() {
        long extent = script.sealedExtent(epoch, 100);
        List<NewRange> all = List.of(Script.range(a, 0, 10), Script.range(b, 5, 9));
        long object = uploaded(all);
        script.done(new Command.PublishFlush(1, epoch, extent, object, 100, all, List.of(), true));
        StateArchive.Contents archive = archive();
        published(List.of(Script.range(b, 0, 5)));
        script.done(new Command.PublishFlush(1, epoch, extent, object, 100, all, List.of(), false));
        Restoration.Restored restored = restore(archive);
        assertThat(stream(restored, a).catalog())
                .isEqualTo(script.stream("t", 0).catalog());
        assertThat(stream(restored, b).catalog())
                .isEqualTo(script.stream("t", 1).catalog());
        assertThat(stream(restored, b).catalogEndOffset()).isEqualTo(9);
    }

    @Test
    void anUploadThatWasPreparedInTheArchiveCountsEvenIfNobodyPublishedIt() {
        long object = uploaded(List.of(Script.range(a, 0, 10)));
        Restoration.Restored restored = restore(archive());
        assertThat(stream(restored, a).catalogEndOffset()).isEqualTo(10);
        assertThat(restored.image().object(object).orElseThrow().references()).isEqualTo(1);
    }

    @Test
    void aMergeSinceTheArchiveChangesNothing() {
        long first = published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents archive = archive();
        long second = published(List.of(Script.range(a, 10, 20)));
        NewRange whole = Script.range(a, 0, 20);
        long merged = uploaded(List.of(whole));
        script.done(new Command.PublishMerge(
                1, epoch, merged, 100, List.of(new Command.MergedRange(whole, List.of(first, second)))));
        assertThat(script.object(second).phase()).isEqualTo(Phase.DOOMED);

        Restoration.Restored restored = restore(archive);
        assertThat(stream(restored, a).catalog())
                .extracting(range -> range.objectId())
                .containsExactly(first, second);
        assertThat(restored.image().object(merged).orElseThrow().phase()).isEqualTo(Phase.DOOMED);
    }

    /**
     * Of a compacted topic: key x is in the first range, its tombstone in the second. After the archive the pass took x away, and a later one the tombstone: next to the
     * first range, which the archive has as it was, it must be there.
     */
    @Test
    void whatWasFlushedIsAttachedNotWhatWasMadeOfItSinceTheArchive() {
        long values = published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents archive = archive();
        long tombstones = published(List.of(Script.range(a, 10, 20)));
        long more = published(List.of(Script.range(a, 20, 30)));
        long cleaned = uploaded(List.of(Script.range(a, 0, 10)));
        script.done(merge(cleaned, Script.range(a, 0, 10), values));
        long without = uploaded(List.of(Script.range(a, 10, 30)));
        script.done(merge(without, Script.range(a, 10, 30), tombstones, more));
        published(List.of(Script.range(a, 30, 40)));

        Restoration.Restored restored = restore(archive);
        assertThat(stream(restored, a).catalogEndOffset()).isEqualTo(40);
        assertThat(stream(restored, a).catalog())
                .extracting(range -> range.objectId())
                .startsWith(values, tombstones, more);
        assertThat(restored.image().object(without).orElseThrow().phase()).isEqualTo(Phase.DOOMED);
    }

    /** As after a snapshot that was broken, so that an older one is used: what was flushed may be deleted. */
    @Test
    void whatWasMadeOfItIsAttachedWhereWhatWasFlushedIsGone() {
        published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents archive = archive();
        long first = published(List.of(Script.range(a, 10, 20)));
        long second = published(List.of(Script.range(a, 20, 30)));
        long merged = uploaded(List.of(Script.range(a, 10, 30)));
        script.done(merge(merged, Script.range(a, 10, 30), first, second));
        bucket.remove(second);

        Restoration.Restored restored = restore(archive);
        assertThat(stream(restored, a).catalogEndOffset()).isEqualTo(30);
        assertThat(stream(restored, a).catalog())
                .extracting(range -> range.objectId())
                .endsWith(merged);
    }

    private Command.PublishMerge merge(long object, NewRange range, Long... inputs) {
        return new Command.PublishMerge(
                1, epoch, object, 100, List.of(new Command.MergedRange(range, List.of(inputs))));
    }

    @Test
    void whatAManifestOwnsIsKeptAndReleasedInTime() {
        long first = published(List.of(Script.range(a, 0, 10)));
        long second = published(List.of(Script.range(a, 10, 20)));
        published(List.of(Script.range(a, 20, 30)));
        long manifest = moved(2);
        long nobodys = script.preparedObject(epoch);
        script.pass(60_000);
        script.done(new Command.ExpireObjects(List.of(nobodys)));
        script.done(new Command.ForgetObjects(List.of(nobodys)));
        StateArchive.Contents archive = archive();
        bucket.put(nobodys, new Upload(List.of(), List.of()));
        published(List.of(Script.range(a, 30, 40)));

        Restoration.Restored restored = restore(archive);
        assertThat(restored.unreadManifests()).isEmpty();
        assertThat(restored.missing()).isEmpty();
        assertThat(stream(restored, a).manifests())
                .isEqualTo(script.stream("t", 0).manifests());
        assertThat(stream(restored, a).catalog())
                .isEqualTo(script.stream("t", 0).catalog());
        assertThat(restored.image().state().objects()).doesNotContainKeys(first, second);
        assertThat(restored.image().object(manifest).orElseThrow().phase()).isEqualTo(Phase.PUBLISHED);
        assertThat(restored.image().object(nobodys).orElseThrow().phase()).isEqualTo(Phase.DOOMED);

        Script after = Script.on(restored.image());
        long nodeEpoch = after.register(7);
        after.done(new Command.OpenStreams(7, nodeEpoch, List.of(new Command.Claim(a, 40), new Command.Claim(b, 0))));
        after.done(new Command.TrimStreams(7, nodeEpoch, List.of(new Command.Trim(a, 25))));
        after.done(new Command.ReleaseManifest(7, nodeEpoch, 0, manifest, manifests.get(manifest), null, 0));
        for (long id : List.of(first, second, manifest)) {
            assertThat(after.object(id).phase()).isEqualTo(Phase.DOOMED);
        }
    }

    @Test
    void whatMovedOrWasReleasedAfterTheArchiveIsWhereItWas() {
        List<Long> objects = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            objects.add(published(List.of(Script.range(a, 10 * i, 10 * i + 10))));
        }
        long early = moved(1);
        StateArchive.Contents archive = archive();
        StreamState before = script.stream("t", 0);
        long late = moved(2);
        script.done(new Command.TrimStreams(1, epoch, List.of(new Command.Trim(a, 15))));
        script.done(new Command.ReleaseManifest(1, epoch, 0, early, manifests.get(early), null, 0));
        assertThat(script.object(objects.get(0)).phase()).isEqualTo(Phase.DOOMED);

        Restoration.Restored restored = restore(archive);
        assertThat(stream(restored, a).manifests()).isEqualTo(before.manifests());
        assertThat(stream(restored, a).catalog()).isEqualTo(before.catalog());
        assertThat(restored.image().state().objects()).doesNotContainKey(objects.get(0));
        assertThat(restored.image().object(late).orElseThrow().phase()).isEqualTo(Phase.DOOMED);
    }

    @Test
    void whatARetiredManifestListsStaysUntilSomebodyNamesIt() {
        long first = published(List.of(Script.range(a, 0, 10)));
        published(List.of(Script.range(a, 10, 20)));
        long manifest = moved(1);
        script.done(new Command.TrimStreams(1, epoch, List.of(new Command.Trim(a, 12))));
        StateArchive.Contents archive = archive();
        Restoration.Restored restored = restore(archive);
        assertThat(restored.image().retiredManifests())
                .extracting(ManifestRef::objectId)
                .containsExactly(manifest);
        assertThat(restored.image().state().objects()).doesNotContainKey(first);
        bucket.remove(first);
        assertThat(restore(archive).missing()).as("nobody needs it").isEmpty();
    }

    @Test
    void whatAManifestOwnsAndTheBucketHasLostIsNamed() {
        long first = published(List.of(Script.range(a, 0, 10)));
        published(List.of(Script.range(a, 10, 20)));
        moved(1);
        bucket.remove(first);
        assertThat(restore(archive()).missing()).containsExactly(first);
    }

    @Test
    void withAManifestThatCannotBeReadNothingIsDeletedThatMayBeItsOwn() {
        long first = published(List.of(Script.range(a, 0, 10)));
        published(List.of(Script.range(a, 10, 20)));
        long manifest = moved(1);
        StateArchive.Contents archive = archive();
        long later = uploaded(List.of(Script.range(a, 30, 40)));
        manifests.clear();
        Restoration.Restored restored = restore(archive);
        assertThat(restored.unreadManifests()).containsExactly(manifest);
        assertThat(restored.image().state().objects()).doesNotContainKey(first);
        assertThat(restored.image().object(later).orElseThrow().phase()).isEqualTo(Phase.DOOMED);
    }

    @Test
    void whatWasPutBackCanMoveToAManifest() {
        published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents archive = archive();
        published(List.of(Script.range(a, 10, 20)));
        Restoration.Restored restored = restore(archive);
        assertThat(restored.reattachedRanges()).isEqualTo(1);
        assertThat(restored.image().objects()).allMatch(ObjectState::isHeldByOne);
    }

    @Test
    void whatLiesBeyondAGapOrBelongsToNothingIsDeletedByTheNewCluster() {
        published(List.of(Script.range(a, 0, 10)));
        long expired = script.preparedObject(epoch);
        StateArchive.Contents archive = archive();
        published(List.of(Script.range(a, 10, 20)));
        bucket.remove(script.stream("t", 0).catalog().get(1).objectId());
        long beyond = published(List.of(Script.range(a, 20, 30)), new NewCheckpoint(a, 30, 1, 1));
        script.createTopic("later", 1);
        long later = script.stream("later", 0).streamId();
        long unknown = published(List.of(Script.range(later, 0, 5)));

        Restoration.Restored restored = restore(archive);
        assertThat(stream(restored, a).catalogEndOffset()).isEqualTo(10);
        assertThat(stream(restored, a).checkpoint()).isNull();
        assertThat(restored.unknownStreams()).containsExactly(later);
        for (long id : List.of(expired, beyond, unknown)) {
            assertThat(restored.image().object(id).orElseThrow().phase()).isEqualTo(Phase.DOOMED);
        }
    }

    @Test
    void aFormerOwnersLateUploadIsNotTakenForThisHistory() {
        published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents first = archive();
        Restoration.Restored second = restore(first, 2);
        // It arrives when the second owner's archive is written already
        long late = uploaded(List.of(Script.range(a, 10, 20)));
        Restoration.Restored third = restore(Archives.of(second.image(), 2), 3);
        assertThat(stream(third, a).catalogEndOffset()).isEqualTo(10);
        assertThat(third.image().object(late).orElseThrow().phase()).isEqualTo(Phase.DOOMED);
        assertThat(third.image().nextObjectId()).isEqualTo(Restoration.idFloor(3));
    }

    @Test
    void recoveringOnceMoreGivesTheSameStreams() {
        published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents archive = archive();
        published(List.of(Script.range(a, 10, 20)));
        Restoration.Restored once = restore(archive);
        Restoration.Restored again = restore(Archives.of(once.image(), 2), 2);
        assertThat(stream(again, a).catalog()).isEqualTo(stream(once, a).catalog());
        assertThat(again.image().state().objects())
                .isEqualTo(once.image().state().objects());
        assertThat(again.image().nextObjectId()).isEqualTo(once.image().nextObjectId());
    }

    @Test
    void publishedObjectsThatTheBucketHasLostAreNamed() {
        long lost = published(List.of(Script.range(a, 0, 10)));
        StateArchive.Contents archive = archive();
        bucket.remove(lost);
        assertThat(restore(archive).missing()).containsExactly(lost);
    }

    @Test
    void streamsThatAreKnownToHaveGoneFurtherAreNamed() {
        published(List.of(Script.range(a, 0, 10)));
        script.done(new Command.UnregisterNode(1, epoch));
        long next = script.register(1);
        script.done(new Command.OpenStreams(1, next, List.of(new Command.Claim(a, 25), new Command.Claim(b, 0))));
        assertThat(script.stream("t", 0).epochStarts())
                .endsWith(new EpochStart(script.stream("t", 0).epoch(), 25));
        Restoration.Restored restored = restore(archive());
        assertThat(restored.shortened()).isEqualTo(Map.of(a, 15L));
        // Else whoever opens it looks for offsets 10 to 25 for ever
        StreamState stream = stream(restored, a);
        assertThat(stream.catalogEndOffset()).isEqualTo(10);
        assertThat(stream.epochStarts()).isNotEmpty().allMatch(start -> start.startOffset() <= 10);
        assertThat(stream.epoch()).isGreaterThan(script.stream("t", 0).epoch());
        assertThat(restored.image().topic("t").orElseThrow().streams()).containsExactly(a, b);

        Script after = Script.on(restored.image());
        long nodeEpoch = after.register(7);
        after.done(new Command.OpenStreams(7, nodeEpoch, List.of(new Command.Claim(a, 10), new Command.Claim(b, 0))));
        assertThat(after.stream("t", 0).epochStarts())
                .hasSize(2)
                .endsWith(new EpochStart(after.stream("t", 0).epoch(), 10));
    }

    @Test
    void anEpochThatStartsWithinWhatWasPublishedAfterTheArchiveStays() {
        published(List.of(Script.range(a, 0, 10)));
        script.done(new Command.UnregisterNode(1, epoch));
        long next = script.register(1);
        script.done(new Command.OpenStreams(1, next, List.of(new Command.Claim(a, 25), new Command.Claim(b, 0))));
        List<EpochStart> starts = script.stream("t", 0).epochStarts();
        StateArchive.Contents archive = archive();
        bucket.put(script.preparedObject(next), new Upload(List.of(Script.range(a, 10, 25)), List.of()));

        Restoration.Restored restored = restore(archive);
        assertThat(restored.shortened()).isEmpty();
        assertThat(stream(restored, a).catalogEndOffset()).isEqualTo(25);
        assertThat(stream(restored, a).epochStarts()).hasSize(2).isEqualTo(starts);
    }

    @Test
    void aStateOfProducersBeyondWhatThereIsGivesWayToTheNewestThatIsNot() {
        published(List.of(Script.range(a, 0, 10)), new NewCheckpoint(a, 8, 70, 7));
        // Its data is in an extent that was not flushed
        long ahead = published(List.of(Script.range(b, 0, 4)), new NewCheckpoint(a, 25, 71, 7));
        long alone = published(List.of(), new NewCheckpoint(b, 30, 72, 7));
        assertThat(script.stream("t", 0).checkpoint()).isEqualTo(new Checkpoint(25, ahead, 71, 7, 2));
        StateArchive.Contents archive = archive();
        Restoration.Restored none = restore(archive);
        assertThat(none.shortened()).isEqualTo(Map.of(a, 15L, b, 26L));
        assertThat(stream(none, a).checkpoint())
                .as("retries of what is lost would be taken for duplicates")
                .isNull();
        assertThat(stream(none, b).checkpoint()).isNull();
        assertThat(none.image().object(ahead).orElseThrow().references()).isEqualTo(1);
        assertThat(none.image().object(alone).orElseThrow().phase()).isEqualTo(Phase.DOOMED);

        long found = uploaded(List.of(Script.range(a, 10, 12)), new NewCheckpoint(a, 12, 73, 7));
        Restoration.Restored older = restore(archive);
        assertThat(stream(older, a).catalogEndOffset()).isEqualTo(12);
        assertThat(stream(older, a).checkpoint()).isEqualTo(new Checkpoint(12, found, 73, 7, 0));

        uploaded(List.of(Script.range(a, 12, 25)));
        Restoration.Restored all = restore(archive);
        assertThat(stream(all, a).checkpoint()).as("there is all of it").isEqualTo(new Checkpoint(25, ahead, 71, 7, 0));
    }

    @Test
    void theNewClusterServesPublishesAndForgets() {
        published(List.of(Script.range(a, 0, 10)));
        Restoration.Restored restored = restore(archive());
        Script after = Script.on(restored.image());
        long nodeEpoch = after.register(7);
        assertThat(nodeEpoch).isGreaterThanOrEqualTo(NEXT);
        assertThat(after.stream("t", 0).ownerNodeId()).isEqualTo(7);
        after.done(new Command.OpenStreams(7, nodeEpoch, List.of(new Command.Claim(a, 10), new Command.Claim(b, 0))));
        assertThat(after.stream("t", 0).epochStarts())
                .endsWith(new EpochStart(after.stream("t", 0).epoch(), 10));
        long object =
                after.done(new Command.PrepareObjects(7, nodeEpoch, 1, 60_000)).get(0);
        assertThat(object).isGreaterThanOrEqualTo(NEXT);
        after.refused(Reason.INVALID, new Command.ForgetObjects(List.of(object)));
    }

    @Test
    void whateverIsFlushedBeforeAndAfterTheArchiveIsThere() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        Map<Long, Long> ends = new HashMap<>(Map.of(a, 0L, b, 0L));
        StateArchive.Contents archive = archive();
        for (int round = 0; round < 200; round++) {
            if (random.nextInt(60) == 0) {
                archive = archive();
            }
            List<NewRange> ranges = new ArrayList<>();
            List<NewCheckpoint> checkpoints = new ArrayList<>();
            for (long stream : List.of(a, b)) {
                if (random.nextBoolean()) {
                    long end = ends.get(stream) + 1 + random.nextInt(9);
                    ranges.add(Script.range(stream, ends.get(stream), end));
                    checkpoints.add(new NewCheckpoint(stream, end, round, 1));
                    ends.put(stream, end);
                }
            }
            if (random.nextInt(5) == 0 && !ranges.isEmpty()) {
                // A first attempt that nobody published
                uploaded(ranges, checkpoints.toArray(NewCheckpoint[]::new));
            }
            if (!ranges.isEmpty()) {
                published(ranges, checkpoints.toArray(NewCheckpoint[]::new));
            }
        }
        Restoration.Restored restored = restore(archive);
        String replay = "seed " + seed + ", replay with -Dseed=" + seed;
        for (long stream : List.of(a, b)) {
            StreamState now = stream(restored, stream);
            StreamState then = script.image().stream(stream).orElseThrow();
            assertThat(now.catalogEndOffset()).as(replay).isEqualTo(then.catalogEndOffset());
            assertThat(now.catalog()).as(replay).hasSameSizeAs(then.catalog());
            Checkpoint checkpoint = now.checkpoint();
            assertThat(checkpoint == null ? -1 : checkpoint.offset()).as(replay).isEqualTo(ends.get(stream));
        }
        for (ObjectState object : restored.image().objects()) {
            assertThat(bucket).as(replay).containsKey(object.objectId());
        }
    }
}
