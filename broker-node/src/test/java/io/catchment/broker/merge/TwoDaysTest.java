package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.manifest.ManifestPlanning;
import io.catchment.broker.manifest.ManifestSettings;
import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.command.CommandRules;
import io.catchment.controlplane.command.Conditions;
import io.catchment.controlplane.command.Decision;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.objectstore.cache.SpanReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntToLongFunction;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.image.MetadataImage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two days of one node's object store, in minutes: extents roll as by default (10 s or 64 MiB), each is one bundle and one PublishFlush, merges and
 * manifests are planned by the real plans with their defaults, the control plane's real rules decide. Objects are sizes only. No randomness: the
 * figures are the same each time.
 *
 * <p>The slow ones print the figures of the README: {@code mvn -pl broker-node -am test -Dtest=TwoDaysTest -Dexcluded.tags=none
 * -Dsurefire.failIfNoSpecifiedTests=false}.
 */
class TwoDaysTest {
    private static final int HOURS = 48;
    private static final int RECORD_BYTES = 200;
    private static final double AMPLIFICATION_MAX = 2.2;
    /** Beyond those for flushes that are small. */
    private static final double MERGE_GETS_PER_GB = 2_000;

    @Test
    void halfAHundredPartitionsOfOneKilobyteASecondStayBoundedAndAreWrittenTwice() {
        bounded(new Days(50, partition -> 1_000).play(HOURS));
    }

    @Test
    @Tag("slow")
    void aThousandPartitionsOfTenKilobytesASecondDo() {
        bounded(new Days(1_000, partition -> 10_000).play(HOURS));
    }

    @Test
    @Tag("slow")
    void aThousandPartitionsOfOneKilobyteASecondDo() {
        bounded(new Days(1_000, partition -> 1_000).play(HOURS));
    }

    @Test
    @Tag("slow")
    void aThousandPartitionsOfAHundredBytesASecondDo() {
        bounded(new Days(1_000, partition -> 100).play(HOURS));
    }

    /** Half of the partitions a tenth of the rate of the next fifth, and so on: 10 MB/s in all. */
    @Test
    @Tag("slow")
    void aThousandPartitionsOfVeryDifferentRatesDo() {
        bounded(new Days(
                        1_000,
                        partition -> partition < 5 ? 1_000_000 : partition < 100 ? 50_000 : partition < 500 ? 500 : 50)
                .play(HOURS));
    }

    private static void bounded(Figures figures) {
        System.out.println(figures);
        assertThat(figures.amplification()).as("%s", figures).isLessThanOrEqualTo(AMPLIFICATION_MAX);
        assertThat(figures.catalogMax()).as("%s", figures).isLessThan(600);
        assertThat(figures.mergeGets())
                .as("%s", figures)
                .isLessThan(2 * figures.flushes() + (long) (MERGE_GETS_PER_GB * figures.ingested() / 1e9));
        assertThat(figures.manifestsMax()).as("%s", figures).isLessThanOrEqualTo(1 + figures.rangesMax() / 2_000);
        assertThat((long) figures.stateObjects()).as("%s", figures).isLessThan(figures.flushes());
    }

    /**
     * What two days cost and left.
     *
     * @param catalogMax the longest catalog there ever was
     * @param rangesMax most ranges of one stream in the end, in its catalog and manifests
     * @param stateObjects objects the control plane knows in the end
     * @param mergeGets requests of merges
     * @param mergeRead bytes of these: each begins and ends with a block, half of which on average is not wanted
     */
    record Figures(
            int partitions,
            long ingested,
            long flushed,
            long merged,
            long manifested,
            long flushes,
            long flushPuts,
            long mergePuts,
            long mergeGets,
            long mergeRead,
            long manifestPuts,
            int catalogMax,
            int rangesMax,
            int manifestsMax,
            int stateObjects,
            long storedObjects) {
        double amplification() {
            return (double) (flushed + merged + manifested) / ingested;
        }

        @Override
        public String toString() {
            double gigabytes = ingested / 1e9;
            return String.format(
                    Locale.ROOT,
                    "%d partitions, %.1f GB in %d h: written %.3f times (flush %.3f, merge %.3f, manifests %.5f); requests per GB: flush"
                            + " PUT %.1f, merge PUT %.1f GET %.0f (read %.2f times), manifest PUT %.1f; in the end %d objects in the store, %d in the state;"
                            + " of one stream at most %d ranges, %d in the catalog at any time, %d manifests",
                    partitions,
                    gigabytes,
                    HOURS,
                    amplification(),
                    (double) flushed / ingested,
                    (double) merged / ingested,
                    (double) manifested / ingested,
                    flushPuts / gigabytes,
                    mergePuts / gigabytes,
                    mergeGets / gigabytes,
                    (double) mergeRead / ingested,
                    manifestPuts / gigabytes,
                    storedObjects,
                    stateObjects,
                    rangesMax,
                    catalogMax,
                    manifestsMax);
        }
    }

    /** Owned by the test's thread. */
    private static final class Days {
        private static final int NODE = 1;
        private static final int BLOCK = 1 << 20;
        private static final long EXTENT_BYTES = 64L << 20;
        private static final int ROLL_S = 10;
        private static final int LOOK_S = 30;
        private static final int GRACE_S = 60;
        /** Of a bundle: header and footer, one range with one index entry, one checkpoint with its payload. */
        private static final int FRAME_BYTES = 72;

        private static final int RANGE_BYTES = 80;
        private static final int CHECKPOINT_BYTES = 28 + 32;
        private static final int INDEX_STEP = 64 << 10;

        private final MergeSettings merges = MergeSettings.DEFAULT;
        private final ManifestPlanning manifests = new ManifestPlanning(ManifestSettings.DEFAULT);
        private final List<Long> streams;
        private final IntToLongFunction bytesPerSecond;
        private final Map<Long, Long> unwritten = new HashMap<>();
        private final Map<Long, Long> ends = new HashMap<>();
        private ClusterState state = ClusterState.EMPTY;
        private long nodeEpoch;
        private long second;
        private long mergeAtSecond;
        private long ingested;
        private long flushed;
        private long merged;
        private long manifested;
        private long flushes;
        private long flushPuts;
        private long mergePuts;
        private long mergeGets;
        private long mergeRead;
        /** Objects of which the reader has the checksums: it keeps those of tens of thousands. */
        private final Set<Long> seen = new HashSet<>();

        private long manifestPuts;
        private long deleted;
        private int catalogMax;

        Days(int partitions, IntToLongFunction bytesPerSecond) {
            this.bytesPerSecond = bytesPerSecond;
            nodeEpoch = submit(new Command.RegisterNode(
                            NODE,
                            "store",
                            List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                            "zone",
                            List.of("broker", "wal"),
                            new Uuid(1, 2)))
                    .epoch();
            submit(new Command.CreateTopics(
                    List.of(new Command.CreateTopic("t", partitions, (short) 1, Map.of())), false));
            streams = image().topic("t").orElseThrow().streams();
            submit(new Command.OpenStreams(
                    NODE,
                    nodeEpoch,
                    streams.stream().map(id -> new Command.Claim(id, 0)).toList()));
        }

        private StateImage image() {
            return new StateImage("two-days", 0, 0, 0, NODE, state, MetadataImage.EMPTY);
        }

        private <R> R submit(Command<R> command) {
            Conditions conditions = new Conditions(second * 1_000, () -> new Uuid(3, 4), 1, 1);
            Decision<R> decision = CommandRules.decide(command, state, conditions);
            if (decision instanceof Decision.Accepted<R> accepted) {
                state = accepted.after();
                return accepted.answer();
            }
            throw new AssertionError(decision + " of " + command.getClass());
        }

        private long objectId() {
            return submit(new Command.PrepareObjects(NODE, nodeEpoch, 1, 3_600_000))
                    .get(0);
        }

        Figures play(int hours) {
            long open = 0;
            int age = 0;
            for (second = 1; second <= hours * 3_600L; second++) {
                for (int i = 0; i < streams.size(); i++) {
                    unwritten.merge(streams.get(i), bytesPerSecond.applyAsLong(i), Long::sum);
                    open += bytesPerSecond.applyAsLong(i);
                }
                age++;
                if (age >= ROLL_S || open >= EXTENT_BYTES) {
                    flush();
                    open = 0;
                    age = 0;
                }
                if (second >= mergeAtSecond) {
                    merge();
                }
                if (second % LOOK_S == 0) {
                    move();
                    forget();
                }
            }
            return figures();
        }

        /** Whole records only; the rest is in the next extent. */
        private void flush() {
            List<Command.NewRange> ranges = new ArrayList<>();
            List<Command.NewCheckpoint> checkpoints = new ArrayList<>();
            long position = 16;
            for (long stream : streams) {
                long records = unwritten.getOrDefault(stream, 0L) / RECORD_BYTES;
                if (records > 0) {
                    int length = Math.toIntExact(records * RECORD_BYTES);
                    unwritten.merge(stream, -(long) length, Long::sum);
                    long base = ends.getOrDefault(stream, 0L);
                    ends.put(stream, base + records);
                    long now = second * 1_000;
                    ranges.add(new Command.NewRange(stream, base, base + records, position, length, now, now));
                    checkpoints.add(new Command.NewCheckpoint(stream, base + records, 0, 32));
                    position += length;
                    ingested += length;
                }
            }
            long bytes = position + overhead(ranges.size(), position) + (long) checkpoints.size() * CHECKPOINT_BYTES;
            ExtentState extent = submit(new Command.CreateExtent(NODE, nodeEpoch, 1));
            submit(new Command.SealExtent(extent.extentId(), nodeEpoch, bytes, extent.ensemble()));
            submit(new Command.PublishFlush(
                    NODE, nodeEpoch, extent.extentId(), objectId(), bytes, ranges, checkpoints));
            submit(new Command.ReleaseExtent(extent.extentId(), extent.ensemble()));
            flushed += bytes;
            flushPuts += puts(bytes);
            flushes++;
        }

        /** As the merger: the next one when what the last one wrote has had its time, else at the next look. */
        private void merge() {
            MergePlan plan = MergePlan.of(image(), NODE, nodeEpoch, merges, Set.of(), topic -> false, topic -> false);
            streams.forEach(
                    id -> catalogMax = Math.max(catalogMax, stream(id).catalog().size()));
            if (plan.isEmpty()) {
                mergeAtSecond = second + LOOK_S;
                return;
            }
            countGets(plan);
            long written = 0;
            for (List<StreamMerge> output : plan.outputs(merges.outputBytesMax())) {
                List<Command.MergedRange> ranges = new ArrayList<>();
                long position = 16;
                for (StreamMerge merge : output) {
                    List<StreamRange> inputs = merge.inputs();
                    StreamRange last = inputs.get(inputs.size() - 1);
                    int length = Math.toIntExact(merge.bytes());
                    ranges.add(new Command.MergedRange(
                            new Command.NewRange(
                                    merge.streamId(),
                                    inputs.get(0).baseOffset(),
                                    last.endOffset(),
                                    position,
                                    length,
                                    last.maxEventTimeMs(),
                                    last.maxAppendTimeMs()),
                            inputs.stream().map(StreamRange::objectId).toList()));
                    position += length;
                }
                long bytes = position + overhead(ranges.size(), position);
                submit(new Command.PublishMerge(NODE, nodeEpoch, objectId(), bytes, ranges));
                mergePuts += puts(bytes);
                written += bytes;
            }
            merged += written;
            mergeAtSecond = second + Math.max(1, written / merges.bytesPerSecond());
        }

        /** Runs as they are read, and what the reader takes for them. */
        private void countGets(MergePlan plan) {
            for (MergeInputs.Run run : MergeInputs.runs(
                    plan, id -> Optional.ofNullable(state.objects().get(id))
                            .orElseThrow()
                            .bytes())) {
                boolean known = !seen.add(run.objectId());
                mergeGets += SpanReader.requests(run.objectBytes(), run.position(), run.length(), known);
                mergeRead += run.length() + BLOCK;
            }
        }

        private void move() {
            for (long id : streams) {
                manifests
                        .next(stream(id), image(), NODE, nodeEpoch, this::objectId)
                        .ifPresent(command -> {
                            submit(command);
                            assertThat(stream(id).manifests())
                                    .extracting(ManifestRef::objectId)
                                    .contains(command.objectId());
                            manifested += command.objectBytes();
                            manifestPuts++;
                        });
            }
        }

        private void forget() {
            List<Long> due = state.objects().values().stream()
                    .filter(object -> object.phase() == ObjectState.Phase.DOOMED
                            && object.sinceMs() <= (second - GRACE_S) * 1_000)
                    .map(ObjectState::objectId)
                    .toList();
            submit(new Command.ForgetObjects(due));
            deleted += due.size();
        }

        private StreamState stream(long id) {
            return image().stream(id).orElseThrow();
        }

        private static long overhead(int ranges, long bytes) {
            return FRAME_BYTES + (long) ranges * RANGE_BYTES + bytes / INDEX_STEP * 24 + (bytes / BLOCK + 1) * 4;
        }

        /** A multipart upload from 32 MiB on, in parts of 16 MiB, with its beginning and its end. */
        private static long puts(long bytes) {
            return bytes < 32L << 20 ? 1 : 2 + (bytes + (16 << 20) - 1) / (16 << 20);
        }

        private Figures figures() {
            int rangesMax = 0;
            int manifestsMax = 0;
            long owned = 0;
            for (long id : streams) {
                int listed = stream(id).manifests().stream()
                        .mapToInt(ManifestRef::ranges)
                        .sum();
                owned += listed;
                rangesMax = Math.max(rangesMax, listed + stream(id).catalog().size());
                manifestsMax = Math.max(manifestsMax, stream(id).manifests().size());
            }
            assertThat(deleted).isPositive();
            return new Figures(
                    streams.size(),
                    ingested,
                    flushed,
                    merged,
                    manifested,
                    flushes,
                    flushPuts,
                    mergePuts,
                    mergeGets,
                    mergeRead,
                    manifestPuts,
                    catalogMax,
                    rangesMax,
                    manifestsMax,
                    state.objects().size(),
                    state.objects().size() + owned);
        }
    }
}
