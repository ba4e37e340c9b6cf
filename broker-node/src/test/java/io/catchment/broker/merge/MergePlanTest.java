package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.StreamRange;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MergePlanTest {
    private static final int KIB = 1024;
    private static final MergeSettings SETTINGS =
            new MergeSettings(4, 64 << 20, 64 << 20, 2, 1 << 30, 1_000, 3_600_000, 1_000, 60_000);

    private final List<StreamRange> catalog = new ArrayList<>();

    @Test
    void asManyOfOneSizeAsPayMakeOne() {
        add(5, 1 * KIB);
        assertThat(inputs()).as("the two newest are left alone").isEmpty();
        add(1, 1 * KIB);
        assertThat(inputs()).isEqualTo(catalog.subList(0, 4));
        add(3, 1 * KIB);
        assertThat(inputs()).as("all there are").isEqualTo(catalog.subList(0, 7));
    }

    @Test
    void largerOnesBeforeThemAreNotWrittenAgain() {
        add(2, 100 * KIB);
        add(6, 1 * KIB);
        assertThat(inputs()).isEqualTo(catalog.subList(2, 6));
    }

    @Test
    void fewSmallOnesAmongLargerGoWithThem() {
        add(1, 100 * KIB);
        add(1, 1 * KIB);
        add(2, 100 * KIB);
        add(2, 1 * KIB);
        assertThat(inputs()).as("three of one size").isEmpty();
        add(1, 1 * KIB);
        catalog.add(5, new StreamRange(40, 50, 1, 0, 90 * KIB, 0, 0));
        assertThat(inputs()).isEqualTo(catalog.subList(0, 6));
    }

    @Test
    void tooManyOfAllSizesAreMergedAnyhow() {
        for (int i = 0; i < 5; i++) {
            add(1, (1 << i) * 20 * KIB);
            add(3, KIB);
        }
        assertThat(inputs()).isNotEmpty();
    }

    @Test
    void aFullSegmentIsMadeOfHoweverFew() {
        add(3, 25 << 20);
        assertThat(inputs()).isEmpty();
        add(2, 25 << 20);
        assertThat(inputs()).as("two fit").isEqualTo(catalog.subList(0, 2));
    }

    @Test
    void largeOnesStayForEver() {
        add(20, 33 << 20);
        assertThat(inputs()).isEmpty();
    }

    /** A year of small flushes: how long the catalog gets, and how often a byte is written again. */
    @Test
    void theCatalogStaysShortAndWritingAgainRare() {
        MergeSettings settings = MergeSettings.DEFAULT;
        SplittableRandom random = new SplittableRandom(7);
        long flushed = 0;
        long rewritten = 0;
        int longest = 0;
        for (int i = 0; i < 300_000; i++) {
            int bytes = 100 + random.nextInt(4_000);
            flushed += bytes;
            add(1, bytes);
            List<StreamRange> inputs = MergePlan.inputs(catalog, settings, settings.recentRanges());
            if (!inputs.isEmpty()) {
                long merged = inputs.stream().mapToLong(StreamRange::length).sum();
                rewritten += merged;
                int at = catalog.indexOf(inputs.get(0));
                StreamRange range = new StreamRange(
                        inputs.get(0).baseOffset(),
                        inputs.get(inputs.size() - 1).endOffset(),
                        1,
                        0,
                        (int) merged,
                        0,
                        0);
                catalog.subList(at, at + inputs.size()).clear();
                catalog.add(at, range);
            }
            longest = Math.max(longest, catalog.size());
        }
        assertThat(longest).isLessThan(900);
        assertThat((double) rewritten / flushed).isLessThan(2.1);
    }

    private List<StreamRange> inputs() {
        return MergePlan.inputs(catalog, SETTINGS, SETTINGS.recentRanges());
    }

    private void add(int count, int bytes) {
        for (int i = 0; i < count; i++) {
            long base = catalog.isEmpty() ? 0 : catalog.get(catalog.size() - 1).endOffset();
            catalog.add(new StreamRange(base, base + 10, base, 0, bytes, 0, 0));
        }
    }
}
