package io.catchment.chaos.store;

import io.catchment.chaos.nodes.Shape;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos store-faults. */
@Command(
        name = "store-faults",
        description =
                "Every way for an object store to fail, one after the other under load: nobody at the tail may notice, the node tells"
                        + " which it is, does not storm the store, keeps its memory, goes on by itself.")
public final class StoreFaultsCommand implements Callable<Integer> {
    /** Small extents, nothing kept, small caches: old records are read from the store. */
    static final Map<String, String> SETTINGS = Map.of(
            "catchment.wal.extent.bytes", "4194304",
            "catchment.wal.roll.ms", "500",
            "catchment.wal.hot.bytes", "0",
            "catchment.tail.cache.bytes", "4194304",
            "catchment.block.cache.bytes", "8388608");

    @Mixin
    private StoreScenario scenario = new StoreScenario();

    @Option(names = "--only", split = ",", description = "${COMPLETION-CANDIDATES}. Default: all")
    private List<FaultStep> only = List.of();

    @Option(names = "--times", defaultValue = "1", description = "Each fault so much longer. Default: ${DEFAULT-VALUE}")
    private double times;

    @Option(names = "--rate", defaultValue = "400", description = "Records a second. Default: ${DEFAULT-VALUE}")
    private int rate;

    @Option(names = "--size", defaultValue = "500", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Override
    public Integer call() throws Exception {
        return scenario.run(SETTINGS, (cluster, store, verdict) -> {
            List<FaultStep> steps = only.isEmpty() ? List.of(FaultStep.values()) : only;
            var shape = new Shape(12, 2, rate, size, true, scenario.seed());
            return new StoreFaults(cluster, store, new StoreFaults.Plan(steps, times, 48L << 20, shape), verdict).run();
        });
    }
}
