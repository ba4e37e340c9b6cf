package io.catchment.broker.extents;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.wal.StoreRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EnsembleWatchTest {
    private record News(int copies, Set<StoreRef> fresh, Set<StoreRef> leaving) {}

    private final RulesControlPlane control = new RulesControlPlane();
    private final List<News> heard = new ArrayList<>();

    /** Node 1's lanes, R=3, A=2; what they hear first is not kept. */
    private EnsembleWatch watch() {
        EnsembleWatch watch = EnsembleWatch.begin(
                control, 1, 3, 2, (copies, fresh, leaving) -> heard.add(new News(copies, fresh, leaving)));
        heard.clear();
        return watch;
    }

    private static StoreRef store(int nodeId) {
        return new StoreRef(nodeId, "store-" + nodeId);
    }

    private void registerAll(int nodes) {
        for (int id = 1; id <= nodes; id++) {
            control.register(id);
        }
    }

    @Test
    void aDrainedNodesStoreIsToBeLeftUntilTheDrainIsCancelled() {
        registerAll(3);
        EnsembleWatch watch = watch();
        control.now(new Command.DrainNode(3, true));
        assertThat(heard).containsExactly(new News(2, Set.of(), Set.of(store(3))));
        assertThat(watch.copies()).isEqualTo(2);
        heard.clear();
        control.now(new Command.DrainNode(3, false));
        assertThat(heard).containsExactly(new News(3, Set.of(), Set.of()));
    }

    @Test
    void itIsToBeLeftThoughExtentsHaveAsManyCopiesAsBefore() {
        registerAll(4);
        watch();
        control.now(new Command.DrainNode(3, true));
        assertThat(heard).containsExactly(new News(3, Set.of(), Set.of(store(3))));
    }

    @Test
    void soIsOneThatSaidGoodbyeOrWasFencedUntilItIsBack() {
        registerAll(3);
        watch();
        control.now(
                new Command.FenceNode(3, control.image().node(3).orElseThrow().epoch()));
        assertThat(heard).containsExactly(new News(2, Set.of(), Set.of(store(3))));
        heard.clear();
        control.register(3);
        assertThat(heard).containsExactly(new News(3, Set.of(store(3)), Set.of()));
    }

    @Test
    void whereTooFewAreLeftNobodyIsToBeLeft() {
        registerAll(3);
        watch();
        control.now(new Command.DrainNode(2, true));
        heard.clear();
        control.now(new Command.DrainNode(3, true));
        assertThat(heard).containsExactly(new News(1, Set.of(), Set.of()));
    }

    /** Its own lanes end with it. */
    @Test
    void aNodeThatIsDrainedItselfGoesOnWithItsOwnStore() {
        registerAll(3);
        watch();
        control.now(new Command.DrainNode(1, true));
        assertThat(heard).containsExactly(new News(2, Set.of(), Set.of()));
    }
}
