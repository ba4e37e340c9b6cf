package io.catchment.broker.extents;

import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.broker.testing.TestProcess;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.command.Observed;
import io.catchment.objectstore.testing.MemoryStore;
import io.catchment.wal.StoreRef;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.kafka.common.Uuid;

/** Node 1 with its keeper, and other nodes that are rows in the control plane, whose rules are the real ones. Owned by the test's thread. */
final class KeeperWorld {
    static final int NODE = 1;

    final ManualLoop time = new ManualLoop();
    TestProcess process = new TestProcess(time);
    final RuledControlPlane control = new RuledControlPlane(time, process);
    final Map<Integer, Long> epochs = new HashMap<>();
    WalControl registry = new WalControl(control, NODE);
    final MemoryStore objects = new MemoryStore();
    final FakeElsewhere elsewhere = new FakeElsewhere();
    FakeStore store;
    ExtentKeeper keeper;
    private final boolean acceptLoss;
    private String storeId = "disk-1";

    KeeperWorld(int nodes, boolean acceptLoss) {
        this.acceptLoss = acceptLoss;
        control.replicas(Math.min(3, nodes), nodes / 2 + 1);
        store = new FakeStore(new StoreRef(NODE, storeId), control, process, registry);
        for (int node = 1; node <= nodes; node++) {
            register(node, "disk-" + node);
        }
        newKeeper();
    }

    private void newKeeper() {
        registry.registered(epochs.get(NODE));
        keeper = new ExtentKeeper(
                store,
                registry,
                elsewhere,
                objects,
                control,
                NODE,
                epochs.get(NODE),
                acceptLoss,
                process,
                new SplittableRandom(1));
    }

    KeeperWorld start() {
        keeper.start();
        time.pass(50);
        return this;
    }

    /** The process dies at once; a new one is registered, with the same disk or an empty one. It is not started yet. */
    void restart(boolean wiped) {
        process.crash();
        process = new TestProcess(time);
        control.process(process);
        registry = new WalControl(control, NODE);
        if (wiped) {
            storeId = storeId + "-new";
            store = new FakeStore(new StoreRef(NODE, storeId), control, process, registry);
        } else {
            store.process(process, registry);
        }
        register(NODE, storeId);
        newKeeper();
    }

    void register(int node, String disk) {
        epochs.put(
                node,
                control.now(new Command.RegisterNode(
                                node,
                                disk,
                                List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                                "zone-" + node,
                                List.of("broker", "wal"),
                                Uuid.randomUuid()))
                        .epoch());
    }

    void fence(int node) {
        control.now(new Command.FenceNode(node, epochs.get(node)));
    }

    ExtentState open(int writer) {
        return control.now(new Command.CreateExtent(writer, epochs.get(writer), 1));
    }

    /** By its writer. */
    void seal(ExtentState extent, long length, int... holders) {
        List<ExtentState.Store> stores =
                java.util.Arrays.stream(holders).mapToObj(KeeperWorld::disk).toList();
        control.now(new Command.SealExtent(extent.extentId(), extent.epoch(), length, stores));
    }

    ExtentState sealed(int writer, long length, int... holders) {
        ExtentState extent = open(writer);
        seal(extent, length, holders);
        return image(extent);
    }

    static ExtentState.Store disk(int node) {
        return new ExtentState.Store(node, "disk-" + node);
    }

    ExtentState image(ExtentState extent) {
        return control.image().extent(extent.extentId()).orElseThrow();
    }

    /** What the active controller does when an extent has lacked holders for long. */
    void giveRepairs(Set<Long> lacking) {
        control.upkeep(new Observed(Set.of(), Set.of(), lacking, Set.of()));
    }

    void takeAwayRecovery(long extentId) {
        control.upkeep(new Observed(Set.of(extentId), Set.of(), Set.of(), Set.of()));
    }

    boolean hasTask(TaskState.Kind kind, int node) {
        return control.image().tasks().stream().anyMatch(task -> task.kind() == kind && task.nodeId() == node);
    }
}
