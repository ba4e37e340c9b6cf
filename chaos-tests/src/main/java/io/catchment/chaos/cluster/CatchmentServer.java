package io.catchment.chaos.cluster;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One Catchment node, driven by nothing but the launcher's commands. */
public final class CatchmentServer implements Server {
    private static final Duration COMMAND = Duration.ofMinutes(3);
    // the build is what it is while tests run: sources that change meanwhile must not change the server
    private static final Map<String, String> ENVIRONMENT = Map.of("CATCHMENT_BUILD", "never");
    private static final Pattern NODE = Pattern.compile(
            "\\{\"id\":(\\d+),\"pid\":(\\d+|null),\"kafka\":\"([^\"]+)\",\"http\":\"([^\"]+)\",\"ready\":(true|false)");
    private static final Pattern BOOTSTRAP = Pattern.compile("^\\{\"bootstrap\":\"([^\"]+)\"");
    private final Path directory;
    private final Map<String, String> environment;
    /** What the launcher last said; it stays true until the node is started again. */
    private volatile @Nullable String status;

    private CatchmentServer(Path directory, Map<String, String> environment) {
        this.directory = directory;
        this.environment = environment;
    }

    /**
     * Creates and starts a node on free ports.
     *
     * @param objectStore as the launcher's option; empty for a folder beside the node
     * @param settings further configuration keys
     */
    public static CatchmentServer up(Path directory, String objectStore, Map<String, String> settings) {
        return up(directory, objectStore, settings, ENVIRONMENT);
    }

    /** The same with further environment variables for the node. */
    public static CatchmentServer up(
            Path directory, String objectStore, Map<String, String> settings, Map<String, String> environment) {
        var all = new java.util.HashMap<>(ENVIRONMENT);
        all.putAll(environment);
        var server = new CatchmentServer(directory.toAbsolutePath(), Map.copyOf(all));
        List<String> options = new ArrayList<>(List.of("--port", "0"));
        if (!objectStore.isEmpty()) {
            options.addAll(List.of("--object-store", objectStore));
        }
        settings.forEach((key, value) -> options.addAll(List.of("--set", key + "=" + value)));
        try {
            server.launcher("up", options);
        } catch (IllegalStateException e) {
            try {
                server.close();
            } catch (IllegalStateException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
        return server;
    }

    private String launcher(String command, List<String> options) {
        List<String> line =
                new ArrayList<>(List.of(Checkout.launcher().toString(), command, "--dir", directory.toString()));
        line.addAll(options);
        return Commands.run(COMMAND, environment, line);
    }

    @Override
    public String name() {
        return "Catchment";
    }

    @Override
    public String bootstrap() {
        return group(BOOTSTRAP, 1);
    }

    @Override
    public long pid() {
        return Long.parseLong(group(NODE, 2));
    }

    public URI http() {
        return URI.create("http://" + group(NODE, 4));
    }

    public boolean ready() {
        status = null;
        return Boolean.parseBoolean(group(NODE, 5));
    }

    public Metrics metrics() {
        return Metrics.of(http());
    }

    private String group(Pattern pattern, int group) {
        String said = status;
        if (said == null) {
            said = launcher("status", List.of("--json")).strip();
        }
        Matcher matcher = pattern.matcher(said);
        if (!matcher.find()) {
            throw new IllegalStateException("status --json printed " + said);
        }
        status = said;
        return matcher.group(group);
    }

    @Override
    public void kill() {
        status = null;
        launcher("kill", List.of("1"));
    }

    @Override
    public void stop() {
        status = null;
        launcher("stop", List.of("1"));
    }

    @Override
    public void start() {
        status = null;
        launcher("start", List.of("1"));
    }

    @Override
    public Path directory() {
        return directory;
    }

    public Path walDirectory() {
        return directory.resolve("node-1/wal");
    }

    /** What {@code up} takes as the default object store. */
    public Path objectDirectory() {
        return directory.resolve("objects");
    }

    public Path logFile() {
        return directory.resolve("node-1/log/catchment.log");
    }

    @Override
    public void close() {
        launcher("destroy", List.of());
    }
}
