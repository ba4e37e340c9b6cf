package io.catchment.broker.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.merge.MergeSettings;
import org.junit.jupiter.api.Test;

class ManifestSettingsTest {
    @Test
    void aManifestsIdExpiresWhenThoseOfOtherRewrittenObjectsDo() {
        MergeSettings rewriting = MergeSettings.DEFAULT.withObjectTtlMs(8_001).withLookMs(77);

        ManifestSettings settings = ManifestSettings.DEFAULT.withTimesOf(rewriting);

        assertThat(settings.objectTtlMs()).isEqualTo(8_001);
        assertThat(settings.lookMs()).isEqualTo(77);
        assertThat(settings.catalogRanges()).isEqualTo(ManifestSettings.DEFAULT.catalogRanges());
    }
}
