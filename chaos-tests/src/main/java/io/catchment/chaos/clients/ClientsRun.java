package io.catchment.chaos.clients;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Stock clients against one cluster: {@link Conversation}, then {@link Groups}; the outcome is a table. */
public final class ClientsRun {
    private static final List<String> SOON = List.of("session.timeout.ms=6000", "heartbeat.interval.ms=500");

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;

    /**
     * What is asked of whom.
     *
     * @param clients names of {@link #NAMES}
     * @param records of each client and codec
     */
    public record Plan(List<String> clients, int records, boolean groups, long seed) {
        public Plan {
            clients = List.copyOf(clients);
        }
    }

    /** kafka-clients 4.4.0 and 2.8.2, librdkafka by a program in C and by kcat, kafkajs. */
    public static final List<String> NAMES = List.of("java-4", "java-2", "librdkafka", "kcat", "kafkajs");

    public ClientsRun(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    /** The table, as Markdown. */
    public String run() throws Exception {
        var programs = new Programs(cluster.directory().resolve("clients"));
        Map<String, StockClient> clients = new LinkedHashMap<>();
        for (String name : plan.clients()) {
            clients.put(name, client(name, programs));
        }
        var table = new FeatureTable();
        String bootstrap = cluster.bootstrap();
        new Conversation(bootstrap, List.copyOf(clients.values()), plan.seed(), verdict, table).run(plan.records());
        if (plan.groups()) {
            groups(programs, clients, table);
        }
        return table.text();
    }

    private void groups(Programs programs, Map<String, StockClient> clients, FeatureTable table) throws Exception {
        var groups = new Groups(cluster.bootstrap(), verdict);
        for (StockClient client : clients.values()) {
            table.put(client.name(), "group", groups.run(client.name(), List.of(client, client)));
        }
        if (clients.containsKey("java-4")) {
            StockClient next = new LineClient(
                    "java-4",
                    programs,
                    Programs.install("java-4"),
                    Conversation.CODECS,
                    List.of("group.protocol=consumer"));
            table.put("java-4", "group, KIP-848", groups.run("java-4-consumer", List.of(next, next)));
        }
        // those who know the same assignor in the same format
        List<StockClient> mixed = new ArrayList<>(clients.values());
        mixed.removeIf(client -> client.name().equals("kafkajs"));
        if (mixed.size() > 1) {
            String outcome = groups.run("mixed", mixed);
            mixed.forEach(client -> table.put(client.name(), "group with the others", outcome));
        }
    }

    private static StockClient client(String name, Programs programs) {
        List<String> command = Programs.install(name);
        return switch (name) {
            case "kcat" -> new KcatClient(programs, command);
            case "kafkajs" -> new LineClient(name, programs, command, Set.of("none", "gzip", "snappy"), SOON);
            case "java-4", "java-2" ->
                new LineClient(
                        name,
                        programs,
                        command,
                        Conversation.CODECS,
                        with("org.apache.kafka.clients.consumer.RangeAssignor"));
            default -> new LineClient(name, programs, command, Conversation.CODECS, with("range"));
        };
    }

    /** Range is the assignor that all have. */
    private static List<String> with(String assignor) {
        List<String> all = new ArrayList<>(SOON);
        all.add("partition.assignment.strategy=" + assignor);
        return all;
    }
}
