package io.catchment.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class KafkaReplicasTest {
    @Test
    void aBrokerMoreTakesTheLeadFromOneThatHadIt() {
        assertThat(KafkaReplicas.replicas(List.of(1, 2, 3), List.of(1, 2, 3, 4), 3))
                .containsExactly(4, 1, 2);
    }

    @Test
    void whoHasTheRecordsKeepsThem() {
        assertThat(KafkaReplicas.replicas(List.of(3, 1, 2), List.of(1, 2, 3, 4), 1))
                .containsExactly(2, 3, 1);
    }

    @Test
    void aBrokerLessGivesItsReplicasAway() {
        assertThat(KafkaReplicas.replicas(List.of(4, 1, 2), List.of(1, 2, 3), 1))
                .containsExactly(2, 1, 3);
    }

    @Test
    void neverMoreReplicasThanThereAreBrokers() {
        assertThat(KafkaReplicas.replicas(List.of(1, 2, 3), List.of(2), 0)).containsExactly(2);
    }
}
