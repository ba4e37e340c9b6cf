package io.catchment.chaos.station;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.workload.Topics;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos play. */
@Command(name = "play", description = "Plays station readings as many sites into a topic, which is created if need be.")
public final class PlayCommand implements Callable<Integer> {
    @Mixin
    private FleetOptions options = new FleetOptions();

    @Option(
            names = "--partitions",
            defaultValue = "12",
            description = "Of the topic, if it is created. Default: ${DEFAULT-VALUE}")
    private int partitions;

    @Option(
            names = "--speedup",
            defaultValue = "0",
            description = "Event time over real time; 0: as fast as it goes. Default: ${DEFAULT-VALUE}")
    private double speedup;

    @Override
    public Integer call() {
        Fleet fleet = options.fleet();
        var verdict = new Verdict();
        Topics.create(options.bootstrap(), options.topic(), partitions);
        long start = System.nanoTime();
        StationPlayer.play(options.bootstrap(), options.topic(), fleet, speedup, options.client(), verdict);
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                "played %s: %d records in %.1f s (%.0f/s), all acknowledged: %s%n",
                options, fleet.count(), seconds, fleet.count() / seconds, verdict.describe());
        return verdict.clean() ? 0 : 1;
    }
}
