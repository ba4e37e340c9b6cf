package io.catchment.objectstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ObjectKeysTest {
    @Test
    void keysAreStable() {
        assertThat(ObjectKeys.key(0)).isEqualTo("objects/00/0000000000000000");
        assertThat(ObjectKeys.key(1)).isEqualTo("objects/2c/0000000000000001");
        assertThat(ObjectKeys.key(Long.MAX_VALUE)).isEqualTo("objects/ea/7fffffffffffffff");
        assertThatThrownBy(() -> ObjectKeys.key(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aKeyTellsItsId() {
        for (long id : new long[] {0, 1, 77, 1L << 40, Long.MAX_VALUE}) {
            assertThat(ObjectKeys.objectId(ObjectKeys.key(id))).hasValue(id);
            ObjectKeys.check(ObjectKeys.key(id));
        }
        assertThat(ObjectKeys.objectId("objects/00/0000000000000001"))
                .as("wrong hash")
                .isEmpty();
        assertThat(ObjectKeys.objectId("objects/zz/0000000000000001")).isEmpty();
        assertThat(ObjectKeys.objectId("other/00/0000000000000001")).isEmpty();
        assertThat(ObjectKeys.objectId("objects/00/000000000000001x")).isEmpty();
    }

    @Test
    void idsInARowSpreadOverPrefixes() {
        Set<String> prefixes = new HashSet<>();
        for (long id = 5000; id < 6000; id++) {
            prefixes.add(ObjectKeys.key(id).substring(0, 10));
        }
        assertThat(prefixes).hasSizeGreaterThan(240);
    }
}
