package io.catchment.controlplane.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class StateArchiveTest {
    /** Made from the README's description by a program that shares no code with this one. */
    private static byte[] golden() throws Exception {
        try (InputStream in = StateArchiveTest.class.getResourceAsStream("/golden/state-archive-v1.bin")) {
            return in.readAllBytes();
        }
    }

    @Test
    void theGoldenFileIsReadAndWrittenByteForByte() throws Exception {
        StateArchive.Contents contents = StateArchive.read(ByteBuffer.wrap(golden()));
        assertThat(contents.header()).isEqualTo(new StateArchive.Header(3, "cluster-ü", 4711, 17, 1_700_000_000_123L));
        ImageStep step = ImageStep.instead(StateImage.empty("cluster-ü"));
        contents.records().forEach(step::replay);
        step.at(4711, 17, 1_700_000_000_123L);
        StateImage image = step.finish().image();
        StreamState stream = image.stream(9).orElseThrow();
        assertThat(stream.topic()).isEqualTo("readings");
        assertThat(stream.catalog())
                .isEqualTo(List.of(new StreamRange(100, 250, 77, 16, 4096, -5, 1_700_000_000_000L)));
        assertThat(image.nextObjectId()).isEqualTo(78);
        assertThat(Archives.bytes(image, 3)).isEqualTo(golden());
    }

    @Test
    void anyFlippedBitAndAnyOtherLengthIsFound() throws Exception {
        byte[] good = golden();
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 4;
            assertThatThrownBy(() -> StateArchive.read(ByteBuffer.wrap(bad)))
                    .isInstanceOf(CorruptArchiveException.class);
            ByteBuffer cut = ByteBuffer.wrap(good, 0, at);
            assertThatThrownBy(() -> StateArchive.read(cut)).isInstanceOf(CorruptArchiveException.class);
        }
    }

    @Test
    void aNewerVersionIsNamed() throws Exception {
        byte[] newer = golden();
        newer[9] = 2;
        assertThatThrownBy(() -> StateArchive.read(ByteBuffer.wrap(newer))).hasMessageContaining("version 2");
    }
}
