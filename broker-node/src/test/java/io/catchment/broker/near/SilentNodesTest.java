package io.catchment.broker.near;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SilentNodesTest {
    private static final long NOW = Long.MAX_VALUE - 5;

    private final SilentNodes silent = new SilentNodes();

    @Test
    void aNodeThatDoesNotAskGetsOneReaderFromTimeToTime() {
        assertThat(silent.send(2, NOW)).isTrue();
        assertThat(silent.send(2, NOW + SilentNodes.SILENCE_NANOS - 1)).isTrue();
        assertThat(silent.send(2, NOW + SilentNodes.SILENCE_NANOS)).isFalse();
        assertThat(silent.send(2, NOW + SilentNodes.RETRY_NANOS)).isTrue();
        assertThat(silent.send(2, NOW + SilentNodes.RETRY_NANOS + 1)).isFalse();
        assertThat(silent.send(2, NOW + 2 * SilentNodes.RETRY_NANOS)).isTrue();
    }

    @Test
    void aNodeThatAsksGetsAll() {
        assertThat(silent.send(2, NOW)).isTrue();
        silent.heard(2);
        assertThat(silent.send(2, NOW + SilentNodes.SILENCE_NANOS)).isTrue();
        assertThat(silent.send(2, NOW + SilentNodes.SILENCE_NANOS + 1)).isTrue();
    }

    @Test
    void theSilenceOfOneNodeIsNotAnothers() {
        assertThat(silent.send(2, NOW)).isTrue();
        assertThat(silent.send(2, NOW + SilentNodes.SILENCE_NANOS)).isFalse();
        assertThat(silent.send(3, NOW + SilentNodes.SILENCE_NANOS)).isTrue();
        silent.heard(2);
        assertThat(silent.send(2, NOW + SilentNodes.SILENCE_NANOS)).isTrue();
    }
}
