package io.catchment.chaos.cluster;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Catchment nodes, started and stopped by the launcher's commands; signals go to the processes directly, for their time counts. */
public final class CatchmentCluster implements Cluster {
    private static final Duration COMMAND = Duration.ofMinutes(8);
    // the build is what it is while tests run: sources that change meanwhile must not change the nodes
    // and a busy machine is slow, not broken
    private static final Map<String, String> ENVIRONMENT =
            Map.of("CATCHMENT_BUILD", "never", "CATCHMENT_READY_S", "180", "CATCHMENT_SHARE_S", "180");
    private static final Pattern NODE = Pattern.compile(
            "\\{\"id\":(\\d+),\"pid\":(\\d+|null),\"kafka\":\"([^\"]+)\",\"http\":\"([^\"]+)\",\"ready\":(true|false),"
                    + "\"roles\":\"([^\"]*)\",\"zone\":\"([^\"]*)\"\\}");

    /**
     * What {@code up} is told.
     *
     * @param objectStore as the launcher's option; empty for a folder beside the nodes
     * @param settings further configuration keys of each node
     * @param zones given to the nodes in turn; empty for none
     * @param environment further environment variables of the nodes
     */
    public record Options(
            int nodes,
            String objectStore,
            Map<String, String> settings,
            List<String> zones,
            Map<String, String> environment) {
        public Options {
            settings = Map.copyOf(settings);
            zones = List.copyOf(zones);
            environment = Map.copyOf(environment);
        }

        public static Options of(int nodes) {
            return new Options(nodes, "", Map.of(), List.of(), Map.of());
        }

        public Options with(String objectStore, Map<String, String> settings) {
            return new Options(nodes, objectStore, settings, zones, environment);
        }

        public Options withZones(String... names) {
            return new Options(nodes, objectStore, settings, List.of(names), environment);
        }

        private List<String> arguments() {
            List<String> options = new ArrayList<>(List.of("--port", "0", "--nodes", String.valueOf(nodes)));
            if (!objectStore.isEmpty()) {
                options.addAll(List.of("--object-store", objectStore));
            }
            if (!zones.isEmpty()) {
                options.addAll(List.of("--zones", String.join(",", zones)));
            }
            settings.forEach((key, value) -> options.addAll(List.of("--set", key + "=" + value)));
            return options;
        }
    }

    private record Status(long pid, String kafka, URI http, boolean ready, String roles, String zone) {}

    private final Path directory;
    private final Map<String, String> environment;
    private final CloseOnExit atExit;
    /** What the launcher last said; it stays true until a node is started or ends. */
    private @Nullable Map<Integer, Status> status;

    private CatchmentCluster(Path directory, Map<String, String> environment) {
        this.directory = directory;
        this.environment = environment;
        this.atExit = new CloseOnExit(this);
    }

    /** Creates and starts the nodes on free ports; returns when all are ready. */
    public static CatchmentCluster up(Path directory, Options options) {
        return begin("up", directory, options);
    }

    /** The same as a new cluster from the object store of one that is gone. */
    public static CatchmentCluster recover(Path directory, Options options) {
        return begin("recover", directory, options);
    }

    private static CatchmentCluster begin(String command, Path directory, Options options) {
        Map<String, String> environment = new HashMap<>(ENVIRONMENT);
        environment.putAll(options.environment);
        var cluster = new CatchmentCluster(directory.toAbsolutePath(), Map.copyOf(environment));
        try {
            cluster.launcher(command, options.arguments());
        } catch (IllegalStateException e) {
            try {
                cluster.close();
            } catch (IllegalStateException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
        return cluster;
    }

    private String launcher(String command, List<String> options) {
        status = null;
        return ask(command, options);
    }

    private String ask(String command, List<String> options) {
        List<String> line =
                new ArrayList<>(List.of(Checkout.launcher().toString(), command, "--dir", directory.toString()));
        line.addAll(options);
        return Commands.run(COMMAND, environment, line);
    }

    private Map<Integer, Status> status() {
        Map<Integer, Status> known = status;
        if (known == null) {
            String said = ask("status", List.of("--json")).strip();
            known = new TreeMap<>();
            Matcher matcher = NODE.matcher(said);
            while (matcher.find()) {
                known.put(
                        Integer.parseInt(matcher.group(1)),
                        new Status(
                                matcher.group(2).equals("null") ? -1 : Long.parseLong(matcher.group(2)),
                                matcher.group(3),
                                URI.create("http://" + matcher.group(4)),
                                Boolean.parseBoolean(matcher.group(5)),
                                matcher.group(6),
                                matcher.group(7)));
            }
            if (known.isEmpty()) {
                throw new IllegalStateException("status --json printed " + said);
            }
            status = known;
        }
        return known;
    }

    private Status status(int node) {
        Status found = status().get(node);
        if (found == null) {
            throw new IllegalArgumentException("no node " + node);
        }
        return found;
    }

    @Override
    public String name() {
        return "Catchment";
    }

    @Override
    public String bootstrap() {
        return String.join(",", status().values().stream().map(Status::kafka).toList());
    }

    @Override
    public List<Integer> nodes() {
        return List.copyOf(status().keySet());
    }

    @Override
    public long pid(int node) {
        long pid = status(node).pid;
        if (pid < 0) {
            throw new IllegalStateException("node " + node + " does not run");
        }
        return pid;
    }

    @Override
    public boolean running(int node) {
        return status(node).pid >= 0;
    }

    /** Asks the node anew. */
    public boolean ready(int node) {
        status = null;
        return status(node).ready;
    }

    public String zone(int node) {
        return status(node).zone;
    }

    public boolean controller(int node) {
        return List.of(status(node).roles.split(",", -1)).contains("controller");
    }

    public URI http(int node) {
        return status(node).http;
    }

    public Metrics metrics(int node) {
        return Metrics.of(http(node));
    }

    /** Of all nodes that run, added up. */
    public Metrics metrics() {
        return Metrics.sumOf(
                nodes().stream().filter(this::running).map(this::metrics).toList());
    }

    @Override
    public void kill(Collection<Integer> nodes) {
        Signals.kill(nodes.stream().map(this::pid).toList());
        status = null;
    }

    @Override
    public void stop(int node) {
        launcher("stop", List.of(String.valueOf(node)));
    }

    @Override
    public void start(int node) {
        launcher("start", List.of(String.valueOf(node)));
    }

    @Override
    public void startAll() {
        launcher("up", List.of());
    }

    @Override
    public void pause(int node) {
        Signals.pause(pid(node));
    }

    @Override
    public void resume(int node) {
        Signals.resume(pid(node));
    }

    @Override
    public void wipe(int node) {
        launcher("wipe", List.of(String.valueOf(node), "--yes"));
    }

    @Override
    public int add() {
        List<Integer> before = nodes();
        launcher("add", List.of());
        return nodes().stream()
                .filter(node -> !before.contains(node))
                .findFirst()
                .orElseThrow();
    }

    /**
     * What {@code catchment verify-store} reports.
     *
     * @throws IllegalStateException with the report when store and catalog do not agree
     */
    public String verifyStore() {
        return ask("verify-store", List.of("--json"));
    }

    @Override
    public void remove(int node) {
        launcher("remove", List.of(String.valueOf(node)));
    }

    @Override
    public Path directory() {
        return directory;
    }

    public Path walDirectory(int node) {
        return directory.resolve("node-" + node + "/wal");
    }

    /** What {@code up} takes as the default object store. */
    public Path objectDirectory() {
        return directory.resolve("objects");
    }

    public Path logFile(int node) {
        return directory.resolve("node-" + node + "/log/catchment.log");
    }

    @Override
    public void close() {
        atExit.done();
        launcher("destroy", List.of());
    }
}
