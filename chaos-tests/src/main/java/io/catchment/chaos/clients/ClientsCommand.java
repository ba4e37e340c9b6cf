package io.catchment.chaos.clients;

import io.catchment.chaos.nodes.ScenarioOptions;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos clients. */
@Command(
        name = "clients",
        description =
                "Stock clients, old and new, of several languages: each reads what all others wrote, byte for byte; groups, transactions, codecs.")
public final class ClientsCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(
            names = "--records",
            defaultValue = "120",
            description = "Of each client and codec. Default: ${DEFAULT-VALUE}")
    private int records;

    @Option(names = "--clients", split = ",", description = "Default: java-4,java-2,librdkafka,kcat,kafkajs")
    private List<String> clients = ClientsRun.NAMES;

    @Override
    public Integer call() throws Exception {
        // a killed member is to be missed in seconds, not in 45 of them
        options.preset("group.consumer.min.session.timeout.ms", "6000");
        options.preset("group.consumer.session.timeout.ms", "6000");
        options.preset("group.consumer.min.heartbeat.interval.ms", "1000");
        options.preset("group.consumer.heartbeat.interval.ms", "1000");
        return options.run(3, List.of(), (cluster, store, verdict) -> new ClientsRun(
                        cluster, new ClientsRun.Plan(clients, records, true, options.seed()), verdict)
                .run());
    }
}
