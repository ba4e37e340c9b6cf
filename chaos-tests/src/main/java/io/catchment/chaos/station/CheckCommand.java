package io.catchment.chaos.station;

import io.catchment.chaos.history.Verdict;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos check. */
@Command(
        name = "check",
        description =
                "Reads what play has sent with a consumer group and checks it record by record: complete, once, in order, same bytes.")
public final class CheckCommand implements Callable<Integer> {
    @Mixin
    private FleetOptions options = new FleetOptions();

    @Option(names = "--group", description = "Default: a new one")
    private @Nullable String group;

    @Option(
            names = "--group-protocol",
            defaultValue = "classic",
            description = "classic or consumer. Default: ${DEFAULT-VALUE}")
    private String protocol = "classic";

    @Option(names = "--members", defaultValue = "1", description = "Of the group. Default: ${DEFAULT-VALUE}")
    private int members;

    @Option(
            names = "--patience",
            defaultValue = "20",
            description = "Seconds without a record after which the rest is lost. Default: ${DEFAULT-VALUE}")
    private int patienceSeconds;

    @Override
    public Integer call() {
        String name = group != null
                ? group
                : "check-" + protocol + "-" + ThreadLocalRandom.current().nextInt(1_000_000);
        Fleet fleet = options.fleet();
        var verdict = new Verdict();
        var audience = new Audience(fleet, verdict);
        long start = System.nanoTime();
        new StationListener(audience, verdict, Duration.ofSeconds(patienceSeconds))
                .listen(options.bootstrap(), options.topic(), name, protocol, members, options.client());
        System.out.printf(
                "checked %s with group %s (%s, %d members): %d of %d records in %.1f s: %s%n",
                options,
                name,
                protocol,
                members,
                audience.heard(),
                fleet.count(),
                (System.nanoTime() - start) / 1e9,
                verdict.describe());
        return verdict.clean() ? 0 : 1;
    }
}
