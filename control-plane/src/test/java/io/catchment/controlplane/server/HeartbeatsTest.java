package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.NodeLoad;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HeartbeatsTest {
    /** Answers leave a connection in the order of its requests, and a command's waits for its commit: the controller hears what it does not answer. */
    @Test
    void theyGoOnWhileAnswersAreHeldUp() {
        SimulatedTime time = new SimulatedTime(new Random(1));
        AtomicInteger sent = new AtomicInteger();
        Heartbeats heartbeats = new Heartbeats(time.new Loop(), 1, 150, (heartbeat, answer) -> sent.incrementAndGet());
        heartbeats.start(3, () -> NodeLoad.IDLE, epoch -> {});
        time.runFor(4_500);
        assertThat(sent.get()).isBetween(25, 35);
    }

    @Test
    void theyDoNotPileUpForEver() {
        SimulatedTime time = new SimulatedTime(new Random(1));
        AtomicInteger sent = new AtomicInteger();
        Heartbeats heartbeats = new Heartbeats(time.new Loop(), 1, 150, (heartbeat, answer) -> sent.incrementAndGet());
        heartbeats.start(3, () -> NodeLoad.IDLE, epoch -> {});
        time.runFor(600_000);
        assertThat(sent.get()).isEqualTo(100);
    }
}
