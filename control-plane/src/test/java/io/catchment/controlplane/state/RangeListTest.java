package io.catchment.controlplane.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.StreamRange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RangeListTest {
    @Test
    void everyVersionKeepsItsOwnContents() {
        List<StreamRange> expected = new ArrayList<>();
        List<RangeList> versions = new ArrayList<>();
        RangeList list = RangeList.EMPTY;
        versions.add(list);
        for (int i = 0; i < 300; i++) {
            StreamRange range = new StreamRange(i, i + 1, i, 0, 1, 0, 0);
            list = list.plus(range);
            expected.add(range);
            versions.add(list);
        }
        for (int size = 0; size <= 300; size++) {
            assertThat(versions.get(size)).hasSize(size).isEqualTo(expected.subList(0, size));
        }
    }

    @Test
    void oneVersionCanBeExtendedTwice() {
        RangeList base = RangeList.EMPTY.plus(new StreamRange(0, 1, 1, 0, 1, 0, 0));
        RangeList left = base.plus(new StreamRange(1, 2, 1, 0, 1, 0, 0));
        RangeList right = base.plus(new StreamRange(1, 3, 1, 0, 1, 0, 0));
        assertThat(left.get(1).endOffset()).isEqualTo(2);
        assertThat(right.get(1).endOffset()).isEqualTo(3);
    }
}
