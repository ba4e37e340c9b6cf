package io.catchment.chaos.store;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos backlog. */
@Command(
        name = "backlog",
        description =
                "An outage of the object store as long as so many unflushed bytes; afterwards the backlog drains at the speed of"
                        + " the link, urgent first, and producers notice nothing.")
public final class BacklogCommand implements Callable<Integer> {
    /** Nothing kept after its flush; the rest is as it comes. */
    static final Map<String, String> SETTINGS = Map.of("catchment.wal.roll.ms", "2000", "catchment.wal.hot.bytes", "0");

    @Mixin
    private StoreScenario scenario = new StoreScenario();

    @Option(
            names = "--backlog-bytes",
            defaultValue = "20000000000",
            description =
                    "Unflushed when the store comes back; an hour at 6 MB/s. Wants twice as much disk. Default: ${DEFAULT-VALUE}")
    private long backlogBytes;

    @Option(names = "--link", defaultValue = "40", description = "MB/s to the store. Default: ${DEFAULT-VALUE}")
    private double link;

    @Option(
            names = "--rate",
            defaultValue = "5",
            description = "MB/s, urgent and normal, all the time. Default: ${DEFAULT-VALUE}")
    private double rate;

    @Option(
            names = "--fill",
            defaultValue = "40",
            description = "MB/s of bulk without the store. Default: ${DEFAULT-VALUE}")
    private double fill;

    @Option(names = "--size", defaultValue = "8192", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Override
    public Integer call() throws Exception {
        return scenario.run(SETTINGS, (cluster, store, verdict) -> new Backlog(
                        cluster,
                        store,
                        new Backlog.Plan(
                                backlogBytes,
                                (long) (link * 1e6),
                                (long) (rate * 1e6),
                                (long) (fill * 1e6),
                                size,
                                Duration.ofSeconds(15),
                                scenario.seed()),
                        verdict)
                .run());
    }
}
