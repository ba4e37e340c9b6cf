package io.catchment.broker.bucket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.ObjectStoreException;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

class OwnerMarkerTest {
    private static final OwnerMarker MARKER = new OwnerMarker(258, "cluster-ü", 15_000, 1_700_000_000_123L);

    /** Made from the README's description by a program that shares no code with this one. */
    private static byte[] golden() throws Exception {
        try (InputStream in = OwnerMarkerTest.class.getResourceAsStream("/golden/owner-marker-v1.bin")) {
            return in.readAllBytes();
        }
    }

    @Test
    void theGoldenFileIsReadAndWrittenByteForByte() throws Exception {
        assertThat(OwnerMarker.read("k", Unpooled.wrappedBuffer(golden()))).isEqualTo(MARKER);
        assertThat(ByteBufUtil.getBytes(MARKER.body())).isEqualTo(golden());
    }

    @Test
    void anyFlippedBitAndAnyOtherLengthIsFound() throws Exception {
        byte[] good = golden();
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
