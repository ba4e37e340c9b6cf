package io.catchment.broker.near;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RedirectsTest {
    private final Redirects redirects = new Redirects();

    @Test
    void whoComesBackIsNotSentAwayAgainForAWhile() {
        long now = Long.MAX_VALUE - 5;
        assertThat(redirects.isSent("one", 7, now)).isFalse();
        assertThat(redirects.send("one", 7, now)).isTrue();
        assertThat(redirects.isSent("one", 7, now + 1)).isTrue();
        assertThat(redirects.isSent("one", 8, now + 1)).isFalse();
        assertThat(redirects.send("one", 7, now + 1)).isFalse();
        assertThat(redirects.send("one", 7, now + Redirects.RETURN_NANOS - 1)).isFalse();
        assertThat(redirects.isSent("one", 7, now + Redirects.RETURN_NANOS)).isFalse();
        assertThat(redirects.send("one", 7, now + Redirects.RETURN_NANOS)).isTrue();
    }

    @Test
    void otherReadersAndOtherStreamsAreSent() {
        assertThat(redirects.send("one", 7, 0)).isTrue();
        assertThat(redirects.send("two", 7, 0)).isTrue();
        assertThat(redirects.send("one", 8, 0)).isTrue();
    }
}
