package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.extents.Extents;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Node 3 of three stops. What it looks at changes with each look, as if others had done their part meanwhile. */
@Timeout(60)
class DepartureTest {
    private static final long LONG_MS = 600_000;
    private static final long SHORT_MS = 50;

    private final RulesControlPlane control = new RulesControlPlane(2, 2);
    private final Deque<Runnable> steps = new ArrayDeque<>();
    private int streams;
    private boolean over;
    private ExtentState extent;
    private final Departure departure = new Departure(3, 2, this::look, () -> streams, () -> over);

    DepartureTest() {
        for (int id = 1; id <= 3; id++) {
            control.register(id);
        }
        // Of two stores each: the writer's own, and in turn one of the others'
        do {
            extent = create(1);
        } while (!isOn(extent, 3));
    }

    private ExtentState create(int nodeId) {
        return control.now(new Command.CreateExtent(
                nodeId, control.image().node(nodeId).orElseThrow().epoch(), 1, List.of()));
    }

    private static boolean isOn(ExtentState extent, int nodeId) {
        return extent.ensemble().stream().anyMatch(store -> store.nodeId() == nodeId);
    }

    private ClusterImage look() {
        Runnable step = steps.poll();
        if (step != null) {
            step.run();
        }
        return control.image();
    }

    private void seal() {
        control.now(new Command.SealExtent(extent.extentId(), extent.epoch(), 7, extent.ensemble()));
    }

    private void drain(int nodeId) {
        control.now(new Command.DrainNode(nodeId, true));
    }

    @Test
    void streamsAndThenOthersExtentsAreWaitedFor() throws InterruptedException {
        streams = 2;
        steps.add(() -> drain(3));
        steps.add(() -> streams = 0);
        steps.add(() -> {});
        steps.add(this::seal);
        departure.await(LONG_MS, LONG_MS);
        assertThat(steps).isEmpty();
        assertThat(Extents.openElsewhere(control.image(), 3)).isZero();
    }

    /** Before, an extent could still be placed there. */
    @Test
    void whatIsOpenCountsOnceTheNodeIsDrained() throws InterruptedException {
        seal();
        steps.add(() -> {});
        steps.add(() -> {});
        steps.add(() -> drain(3));
        departure.await(LONG_MS, LONG_MS);
        assertThat(steps).isEmpty();
    }

    @Test
    void ofOwnExtentsAndThoseOnAFormerStoreNoneCounts() {
        assertThat(Extents.openElsewhere(control.image(), 3)).isEqualTo(1);
        create(3);
        assertThat(Extents.openElsewhere(control.image(), 3)).isEqualTo(1);
        control.now(
                new Command.FenceNode(1, control.image().node(1).orElseThrow().epoch()));
        assertThat(Extents.openElsewhere(control.image(), 3))
                .as("what is to be recovered needs this store")
                .isEqualTo(1);
        assertThat(Extents.openElsewhere(control.image(), 9)).isZero();
        control.now(
                new Command.RegisterNode(3, "another", List.of(), "zone-3", List.of("broker", "wal"), new Uuid(3, 2)));
        assertThat(Extents.openElsewhere(control.image(), 3)).isZero();
    }

    @Test
    void withoutControllersNothingHappensAndItEnds() throws InterruptedException {
        streams = 5;
        assertThat(departure.isOfUse()).isTrue();
        departure.await(SHORT_MS, SHORT_MS);
        assertThat(streams).isEqualTo(5);
    }

    /** All stop at once: nobody takes anything. */
    @Test
    void withOthersThatLeaveTooNothingIsWaitedFor() throws InterruptedException {
        streams = 5;
        steps.add(() -> drain(3));
        steps.add(() -> drain(2));
        steps.add(() -> drain(1));
        departure.await(LONG_MS, LONG_MS);
        assertThat(departure.isOfUse()).isFalse();
    }

    @Test
    void whereExtentsCannotDoWithoutItOnlyStreamsAreWaitedFor() throws InterruptedException {
        drain(2);
        streams = 1;
        steps.add(() -> drain(3));
        steps.add(() -> streams = 0);
        departure.await(LONG_MS, LONG_MS);
        assertThat(Extents.openElsewhere(control.image(), 3)).isEqualTo(1);
    }

    @Test
    void theEndOfItsEpochEndsTheWait() throws InterruptedException {
        streams = 1;
        steps.add(() -> over = true);
        departure.await(LONG_MS, LONG_MS);
        assertThat(departure.isOfUse()).isFalse();
    }
}
