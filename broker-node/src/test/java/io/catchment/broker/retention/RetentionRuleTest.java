package io.catchment.broker.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class RetentionRuleTest {
    private static final long NOW_MS = 1_000_000;
    /** Arrived at 100 s, 200 s, … with event times of long ago, 1000 bytes each. */
    private static final StreamState STREAM = stream(
            0,
            new StreamRange(0, 10, 1, 0, 1000, 5, 100_000),
            new StreamRange(10, 20, 2, 0, 1000, 8, 200_000),
            new StreamRange(20, 30, 3, 0, 1000, 999_999, 300_000),
            new StreamRange(30, 40, 4, 0, 1000, -1, 400_000));

    @Test
    void rangesGoByTheirArrival() {
        assertThat(start(STREAM, Map.of("retention.ms", "700000"))).isEqualTo(20);
        assertThat(start(STREAM, Map.of("retention.ms", "800000"))).isEqualTo(10);
        assertThat(start(STREAM, Map.of("retention.ms", "799999"))).isEqualTo(20);
        assertThat(start(STREAM, Map.of("retention.ms", "900000"))).isZero();
        assertThat(start(STREAM, Map.of("retention.ms", "1"))).isEqualTo(40);
        assertThat(start(STREAM, Map.of("retention.ms", "-1"))).isZero();
    }

    @Test
    void orByTheirOwnTimes() {
        Map<String, String> byEvent = Map.of("retention.ms", "900000", "catchment.retention.time.source", "event");
        assertThat(start(STREAM, byEvent)).as("the third is new").isEqualTo(20);
        StreamState untimed = stream(30, new StreamRange(30, 40, 4, 0, 1000, -1, 400_000));
        assertThat(start(untimed, byEvent)).as("without a time it arrived").isEqualTo(30);
    }

    @Test
    void orWhenEnoughIsLeftWithoutThem() {
        assertThat(start(STREAM, Map.of("retention.bytes", "2000", "retention.ms", "-1")))
                .isEqualTo(20);
        assertThat(start(STREAM, Map.of("retention.bytes", "2001", "retention.ms", "-1")))
                .isEqualTo(10);
        assertThat(start(STREAM, Map.of("retention.bytes", "4000", "retention.ms", "-1")))
                .isZero();
        assertThat(start(STREAM, Map.of("retention.bytes", "0", "retention.ms", "-1")))
                .isEqualTo(40);
        assertThat(start(STREAM, Map.of("retention.bytes", "3000", "retention.ms", "700000")))
                .as("whichever lets more go")
                .isEqualTo(20);
    }

    @Test
    void neverFromTopicsThatOnlyCompact() {
        assertThat(start(STREAM, Map.of("retention.ms", "1", "cleanup.policy", "compact")))
                .isZero();
        assertThat(start(STREAM, Map.of("retention.ms", "1", "cleanup.policy", "compact,delete")))
                .isEqualTo(40);
    }

    /** As long as only some of it goes, and perhaps no more. */
    @Test
    void aManifestIsReadWhenSomeOfItGoesOnly() {
        StreamState listed = withManifest(STREAM, 3);
        TopicConfig config = config(Map.of("retention.ms", "900000"));
        assertThat(RetentionRule.of(listed, config, NOW_MS, Map.of()).undecided())
                .isNull();
        config = config(Map.of("retention.ms", "1"));
        assertThat(RetentionRule.of(listed, config, NOW_MS, Map.of()).logStartOffset())
                .isEqualTo(40);
        config = config(Map.of("retention.ms", "800000"));
        assertThat(RetentionRule.of(listed, config, NOW_MS, Map.of()).undecided())
                .isNotNull();
    }

    @Test
    void aBeginningInsideARangeStaysUntilAllOfItGoes() {
        StreamState trimmed = stream(
                15, new StreamRange(10, 20, 2, 0, 1000, 8, 200_000), new StreamRange(20, 30, 3, 0, 1000, 9, 300_000));
        assertThat(start(trimmed, Map.of("retention.ms", "900000"))).isEqualTo(15);
        assertThat(start(trimmed, Map.of("retention.ms", "750000"))).isEqualTo(20);
    }

    private static long start(StreamState stream, Map<String, String> overrides) {
        RetentionRule.Verdict verdict = RetentionRule.of(stream, config(overrides), NOW_MS, Map.of());
        assertThat(verdict.undecided()).isNull();
        for (int first = 1; first < stream.catalog().size(); first++) {
            for (int second = first; second < stream.catalog().size(); second++) {
                assertThat(startWithManifests(stream, config(overrides), first, second))
                        .as("with %s, then %s ranges in manifests", first, second - first)
                        .isEqualTo(verdict.logStartOffset());
            }
        }
        return verdict.logStartOffset();
    }

    /** The same ranges, the first of them in one manifest, or in two. */
    private static long startWithManifests(StreamState stream, TopicConfig config, int first, int second) {
        List<OwnedRange> owned = stream.catalog().stream()
                .map(range -> new OwnedRange(range, 2_000))
                .toList();
        Map<Long, List<OwnedRange>> lists = new HashMap<>(Map.of(100L, owned.subList(0, first)));
        if (second > first) {
            lists.put(101L, owned.subList(first, second));
        }
        StreamState listed = withManifests(stream, lists, second);
        Map<Long, List<OwnedRange>> known = new HashMap<>();
        while (true) {
            RetentionRule.Verdict verdict = RetentionRule.of(listed, config, NOW_MS, known);
            ManifestRef undecided = verdict.undecided();
            if (undecided == null) {
                return verdict.logStartOffset();
            }
            assertThat(known.put(undecided.objectId(), lists.get(undecided.objectId())))
                    .as("nothing is asked for twice")
                    .isNull();
        }
    }

    private static StreamState withManifest(StreamState stream, int count) {
        List<OwnedRange> owned = stream.catalog().subList(0, count).stream()
                .map(range -> new OwnedRange(range, 2_000))
                .toList();
        return withManifests(stream, Map.of(100L, owned), count);
    }

    private static StreamState withManifests(StreamState stream, Map<Long, List<OwnedRange>> lists, int count) {
        return new StreamState(
                1,
                stream.topicId(),
                "t",
                0,
                1,
                1,
                1,
                List.of(),
                stream.logStartOffset(),
                lists.entrySet().stream()
                        .sorted(Map.Entry.comparingByKey())
                        .map(each -> ManifestRef.of(each.getKey(), each.getValue()))
                        .toList(),
                stream.catalog().subList(count, stream.catalog().size()),
                null,
                1,
                false,
                -1,
                List.of(),
                null,
                0);
    }

    private static TopicConfig config(Map<String, String> overrides) {
        RulesControlPlane controlPlane = new RulesControlPlane();
        controlPlane.register(1);
        controlPlane.now(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 1, (short) 1, overrides, List.of(1))), false));
        return TopicConfigs.of(controlPlane, new TopicSchema(Map.of())).forTopic("t");
    }

    private static StreamState stream(long logStartOffset, StreamRange... ranges) {
        return new StreamState(1, new Uuid(1, 1), "t", 0, 1, 1, 1, List.of(), logStartOffset, List.of(ranges), null);
    }
}
