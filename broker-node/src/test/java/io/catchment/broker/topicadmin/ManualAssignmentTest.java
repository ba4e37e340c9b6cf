package io.catchment.broker.topicadmin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.controlplane.Command;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.junit.jupiter.api.Test;

class ManualAssignmentTest {
    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");

    @Test
    void theFirstLivingBrokerOwns() {
        assertThat(owner(2, 1)).isEqualTo(2);
        controlPlane.fenceNode(2, true);
        assertThat(owner(2, 1)).isEqualTo(1);
        assertThatThrownBy(() -> owner(2))
                .isInstanceOf(InvalidReplicaAssignmentException.class)
                .hasMessageContaining("are fenced or in controlled shutdown");
    }

    @Test
    void aNodeThatOnlyKeepsRecordsIsNoBroker() {
        controlPlane.applyNow(
                new Command.RegisterNode(3, "store-3", List.of(), "zone-3", List.of("wal"), Uuid.randomUuid()));
        assertThatThrownBy(() -> owner(3, 1))
                .isInstanceOf(InvalidReplicaAssignmentException.class)
                .hasMessage("The manual partition assignment includes broker 3, but no such broker is registered.");
    }

    private int owner(Integer... replicas) {
        return ManualAssignment.owner(controlPlane.image(), 0, List.of(replicas), -1);
    }
}
