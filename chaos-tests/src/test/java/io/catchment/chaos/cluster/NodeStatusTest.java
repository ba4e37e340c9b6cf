package io.catchment.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class NodeStatusTest {
    @Test
    void fieldsAreReadByName() {
        assertThat(
                        NodeStatus.parse(
                                "{\"nodeId\":3, \"epoch\":17,\"owned\":4,\"draining\":false,\"unflushedExtents\":2,\"holdsLastCopies\":true}\n"))
                .isEqualTo(new NodeStatus(17, 4, false, 2, true));
    }

    @Test
    void missingFieldFails() {
        assertThatThrownBy(() -> NodeStatus.parse("{\"epoch\":17}")).hasMessageContaining("no owned");
    }
}
