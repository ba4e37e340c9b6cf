package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MergePlanTest {
    private static final int KIB = 1024;
    private static final MergeSettings SETTINGS =
            new MergeSettings(4, 2 << 20, 64 << 20, 64 << 20, 40, 2, 1 << 30, 1_000, 3_600_000, 1_000, 60_000);

    private static final long MERGED = -7;

    private final List<StreamRange> catalog = new ArrayList<>();
    private final Set<Long> shared = new HashSet<>();
    /** So many times a range's bytes has its object. */
    private int largerThanRange = 100;

    private int clean;
    private boolean dirtyStays;

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
    void largeOnesThatAreSmallPartsOfTheirObjectsFillASegmentHoweverFew() {
        add(3, 25 << 20);
        assertThat(inputs()).isEmpty();
        add(2, 25 << 20);
        assertThat(inputs()).as("two fit").isEqualTo(catalog.subList(0, 2));
        assertThat(due().orElseThrow().alone()).isTrue();
    }

    @Test
    void largeOnesStayForEverInObjectsThatAreHardlyMore() {
        add(20, 2 << 20);
        largerThanRange = 2;
        assertThat(inputs()).isEmpty();
        add(6, 1 * KIB);
        assertThat(inputs()).as("what comes later").isEqualTo(catalog.subList(20, 24));
    }

    @Test
    void whatBecomesLargeEnoughGetsAnObjectOfItsOwn() {
        add(6, 400 * KIB);
        assertThat(due().orElseThrow().alone()).isFalse();
        add(2, 400 * KIB);
        assertThat(due().orElseThrow().alone()).isTrue();
    }

    @Test
    void manyOfOneSizeMakeOneSegmentAtATime() {
        add(39, (2 << 20) - 1);
        assertThat(inputs()).as("of 37 as many as fit").isEqualTo(catalog.subList(0, 32));
    }

    @Test
    void whatIsInTheWayOfAManifestIsWrittenAgainWhenTheCatalogIsFarTooLong() {
        add(3, 1 * KIB);
        add(30, 3 << 20);
        largerThanRange = 1;
        shared.addAll(List.of(0L, 10L, 20L, 50L));
        assertThat(inputs()).isEmpty();
        add(10, 3 << 20);
        assertThat(inputs()).as("the small ones that others shared").isEqualTo(catalog.subList(0, 3));
        assertThat(due().orElseThrow().alone()).isTrue();
        shared.removeAll(List.of(0L, 10L, 20L));
        assertThat(inputs()).as("one is enough").isEqualTo(catalog.subList(5, 6));
        shared.clear();
        assertThat(inputs()).as("then it is up to the manifest").isEmpty();
    }

    @Test
    void whatIsCompactedAndWhatIsNotAreNeverMergedTogether() {
        add(9, 1 * KIB);
        clean = 3;
        assertThat(inputs()).isEqualTo(catalog.subList(3, 7));
        clean = 4;
        assertThat(inputs()).as("nothing of it is recent").isEqualTo(catalog.subList(0, 4));
        clean = 5;
        dirtyStays = true;
        assertThat(inputs()).isEqualTo(catalog.subList(0, 5));
        clean = 3;
        assertThat(inputs()).as("the dirty part is to stay as it is").isEmpty();
    }

    @Test
    void whatIsInTheWayOfAManifestIsCompactedOrNotToo() {
        largerThanRange = 1;
        add(45, 3 << 20);
        for (StreamRange range : catalog.subList(2, 8)) {
            shared.add(range.objectId());
        }
        assertThat(inputs()).isEqualTo(catalog.subList(2, 8));
        clean = 5;
        assertThat(inputs()).isEqualTo(catalog.subList(2, 5));
        clean = 2;
        assertThat(inputs()).isEqualTo(catalog.subList(2, 8));
        dirtyStays = true;
        assertThat(inputs()).isEmpty();
        clean = 5;
        assertThat(inputs()).isEqualTo(catalog.subList(2, 5));
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
            Optional<StreamMerge> due =
                    MergePlan.due(1, catalog, 0, false, settings, id -> object(id, id == MERGED ? 1 : largerThanRange));
            if (due.isPresent()) {
                List<StreamRange> inputs = due.get().inputs();
                long merged = due.get().bytes();
                rewritten += merged;
                int at = catalog.indexOf(inputs.get(0));
                StreamRange range = new StreamRange(
                        inputs.get(0).baseOffset(),
                        inputs.get(inputs.size() - 1).endOffset(),
                        MERGED,
                        0,
                        (int) merged,
                        0,
                        0);
                catalog.subList(at, at + inputs.size()).clear();
                catalog.add(at, range);
            }
            longest = Math.max(longest, catalog.size());
        }
        assertThat(longest).isLessThan(560);
        assertThat((double) rewritten / flushed).isLessThan(2.1);
    }

    private List<StreamRange> inputs() {
        return due().map(StreamMerge::inputs).orElse(List.of());
    }

    private Optional<StreamMerge> due() {
        return MergePlan.due(1, catalog, clean, dirtyStays, SETTINGS, id -> object(id, largerThanRange));
    }

    private Optional<ObjectState> object(long id, int times) {
        long bytes = catalog.stream()
                .filter(range -> range.objectId() == id)
                .mapToLong(StreamRange::length)
                .max()
                .orElse(0);
        return Optional.of(
                new ObjectState(id, bytes * times, shared.contains(id) ? 2 : 1, ObjectState.Phase.PUBLISHED, 0, 0));
    }

    private void add(int count, int bytes) {
        for (int i = 0; i < count; i++) {
            long base = catalog.isEmpty() ? 0 : catalog.get(catalog.size() - 1).endOffset();
            catalog.add(new StreamRange(base, base + 10, base, 0, bytes, 0, 0));
        }
    }
}
