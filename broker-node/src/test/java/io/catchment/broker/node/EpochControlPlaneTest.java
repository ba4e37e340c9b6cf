package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.ImageListener;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EpochControlPlaneTest {
    private final RulesControlPlane node = new RulesControlPlane();
    private final List<String> heard = new ArrayList<>();
    private final ImageListener one = (delta, image) -> heard.add("one");
    private final ImageListener two = (delta, image) -> heard.add("two");

    @Test
    void anEpochThatIsOverLeavesNobodyListening() {
        for (int epoch = 0; epoch < 100; epoch++) {
            EpochControlPlane controlPlane = new EpochControlPlane(node);
            controlPlane.subscribe(one);
            controlPlane.subscribe(two);
            controlPlane.close();
            controlPlane.subscribe(one);
        }
        assertThat(node.listenerCount()).isZero();
        heard.clear();
        node.register(1);
        assertThat(heard).isEmpty();
    }

    @Test
    void oneSubscriptionEndsAlone() {
        EpochControlPlane controlPlane = new EpochControlPlane(node);
        controlPlane.subscribe(one);
        controlPlane.subscribe(two);
        controlPlane.unsubscribe(one);
        heard.clear();
        node.register(1);
        assertThat(heard).containsExactly("two");
        assertThat(node.listenerCount()).isEqualTo(1);
    }
}
