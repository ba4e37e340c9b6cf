package io.catchment.broker.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.TestBatches;
import java.util.List;
import org.junit.jupiter.api.Test;

class CatalogFiguresTest {
    private static final long STREAM = 7;
    private static final long MANIFEST_BYTES = 96;

    /** They leave the control plane's state, not the store: most of what is stored is in manifests after a while. */
    @Test
    void objectsThatManifestsListCountAsStored() {
        CatalogImage image = CatalogImage.empty().withStream(STREAM);
        for (int i = 0; i < 4; i++) {
            image = image.published(STREAM, 100 + i, List.of(TestBatches.batch(10 * i, 10, 100)));
        }
        CatalogFigures before = CatalogFigures.of(image);
        CatalogFigures after = CatalogFigures.of(image.listed(STREAM, 200, 3, new MemoryObjects(1)));
        assertThat(before.published()).isEqualTo(4);
        assertThat(after.published()).as("and the manifest").isEqualTo(5);
        assertThat(after.publishedBytes()).isEqualTo(before.publishedBytes() + MANIFEST_BYTES);
        assertThat(after.doomed()).isZero();
    }
}
