package io.catchment.broker.bucket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.ObjectStoreException;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.InputStream;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OwnerMarkerTest {
    private static final OwnerMarker MARKER = new OwnerMarker(
            258, "cluster-ü", new Uuid(0x0102030405060708L, 0xf1f2f3f4f5f6f7f8L), 15_000, 1_700_000_000_123L);
    private static final OwnerMarker WITHOUT_HISTORY =
            new OwnerMarker(258, "cluster-ü", Uuid.ZERO_UUID, 15_000, 1_700_000_000_123L);

    /** Made from the README's description by a program that shares no code with this one. */
    private static byte[] golden(int version) throws Exception {
        try (InputStream in = OwnerMarkerTest.class.getResourceAsStream("/golden/owner-marker-v" + version + ".bin")) {
            return in.readAllBytes();
        }
    }

    @Test
    void theGoldenFilesAreReadAndWrittenByteForByte() throws Exception {
        assertThat(OwnerMarker.read("k", Unpooled.wrappedBuffer(golden(1)))).isEqualTo(WITHOUT_HISTORY);
        assertThat(ByteBufUtil.getBytes(WITHOUT_HISTORY.body())).isEqualTo(golden(1));
        assertThat(OwnerMarker.read("k", Unpooled.wrappedBuffer(golden(2)))).isEqualTo(MARKER);
        assertThat(ByteBufUtil.getBytes(MARKER.body())).isEqualTo(golden(2));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void anyFlippedBitAndAnyOtherLengthIsFound(int version) throws Exception {
        byte[] good = golden(version);
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 1;
            assertThatThrownBy(() -> OwnerMarker.read("k", Unpooled.wrappedBuffer(bad)))
                    .isInstanceOf(ObjectStoreException.class);
            int length = at;
            assertThatThrownBy(() -> OwnerMarker.read("k", Unpooled.wrappedBuffer(good, 0, length)))
                    .isInstanceOf(ObjectStoreException.class);
        }
    }

    @Test
    void keysAreInTheOrderOfGenerationsAndOthersAreNone() {
        assertThat(MARKER.key()).isEqualTo("owner/0000000000000102");
        assertThat(OwnerMarker.generation(MARKER.key())).hasValue(258);
        for (String other :
                new String[] {"owner/", "owner/102", "owner/000000000000010G", "x", "owner/0000000000000102/x"}) {
            assertThat(OwnerMarker.generation(other)).as(other).isEmpty();
        }
    }
}
