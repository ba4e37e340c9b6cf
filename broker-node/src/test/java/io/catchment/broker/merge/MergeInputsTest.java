package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.cache.SpanReader;
import java.util.List;
import org.junit.jupiter.api.Test;

class MergeInputsTest {
    private static final int MIB = 1 << 20;

    private static StreamRange range(long base, long object, long position, int length) {
        return new StreamRange(base, base + 1, object, position, length, 0, 0);
    }

    private static List<MergeInputs.Run> runs(StreamMerge... merges) {
        return MergeInputs.runs(new MergePlan(List.of(merges), 0), id -> 1_000 + id);
    }

    @Test
    void whatLiesSideBySideInAnObjectIsReadTogether() {
        List<MergeInputs.Run> runs = runs(
                new StreamMerge(1, List.of(range(0, 10, 16, 100), range(1, 11, 16, 100)), false),
                new StreamMerge(2, List.of(range(0, 10, 116, 50), range(1, 11, 9_000, 50)), false));
        assertThat(runs).hasSize(2);
        assertThat(runs.get(0).objectId()).isEqualTo(10);
        assertThat(runs.get(0).objectBytes()).isEqualTo(1_010);
        assertThat(runs.get(0).position()).isEqualTo(16);
        assertThat(runs.get(0).length()).isEqualTo(150);
        assertThat(runs.get(1).length()).as("with what is between").isEqualTo(9_050 - 16);
    }

    @Test
    void farApartOrTooLongForARequestItIsNot() {
        assertThat(runs(new StreamMerge(1, List.of(range(0, 10, 16, 100), range(1, 10, 2 * MIB, 100)), false)))
                .hasSize(2);
        List<MergeInputs.Run> runs = runs(new StreamMerge(
                1,
                List.of(range(0, 10, 0, 3 * MIB), range(1, 10, 3 * MIB, 3 * MIB), range(2, 10, 6 * MIB, 9 * MIB)),
                true));
        assertThat(runs).extracting(MergeInputs.Run::length).containsExactly(SpanReader.RUN_BYTES_MAX, 9 * MIB);
    }
}
