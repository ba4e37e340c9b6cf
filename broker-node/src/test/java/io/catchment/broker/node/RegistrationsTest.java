package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class RegistrationsTest {
    private static final int NODE = 1;

    private final RulesControlPlane controlPlane = new RulesControlPlane();
    private final Registrations registrations = new Registrations();

    private void register() {
        registrations.registered(registered(registrations.next()));
    }

    private long registered(Uuid incarnation) {
        return controlPlane
                .now(new Command.RegisterNode(
                        NODE,
                        "store",
                        List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                        "zone",
                        List.of("broker", "wal"),
                        incarnation))
                .epoch();
    }

    private void drain() {
        controlPlane.now(new Command.DrainNode(NODE, true));
    }

    private boolean owesDrain() {
        return registrations.owesDrain(controlPlane.image(), NODE);
    }

    @Test
    void aDrainIsOwedUntilOneHasFollowedARegistrationForCertain() {
        assertThat(owesDrain()).isFalse();
        register();
        assertThat(owesDrain()).isFalse();
        drain();
        assertThat(owesDrain()).isTrue();
        // It ends the drain, and what was to renew it came to nothing
        register();
        assertThat(owesDrain()).isTrue();
        register();
        drain();
        registrations.drained();
        assertThat(owesDrain()).as("it is being drained").isTrue();
    }

    @Test
    void whatWasTakenBackIsOwedNoMore() {
        register();
        drain();
        assertThat(owesDrain()).isTrue();
        register();
        drain();
        registrations.drained();
        controlPlane.now(new Command.DrainNode(NODE, false));
        assertThat(owesDrain()).isFalse();
    }

    /** Whoever starts it again uses it. */
    @Test
    void theDrainOfAnEarlierProcessEndsWithTheFirstRegistration() {
        registered(Uuid.randomUuid());
        drain();
        assertThat(owesDrain()).isFalse();
        register();
        assertThat(owesDrain()).isFalse();
    }
}
