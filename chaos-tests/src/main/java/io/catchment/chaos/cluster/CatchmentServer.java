package io.catchment.chaos.cluster;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A Catchment cluster of one node. */
public final class CatchmentServer implements Server {
    private static final int NODE = 1;
    private final CatchmentCluster cluster;

    private CatchmentServer(CatchmentCluster cluster) {
        this.cluster = cluster;
    }

    /**
     * Creates and starts a node on free ports.
     *
     * @param objectStore as the launcher's option; empty for a folder beside the node
     * @param settings further configuration keys
     */
    public static CatchmentServer up(Path directory, String objectStore, Map<String, String> settings) {
        return up(directory, objectStore, settings, Map.of());
    }

    /** The same with further environment variables for the node. */
    public static CatchmentServer up(
            Path directory, String objectStore, Map<String, String> settings, Map<String, String> environment) {
        return new CatchmentServer(CatchmentCluster.up(
                directory, new CatchmentCluster.Options(1, objectStore, settings, List.of(), environment)));
    }

    public CatchmentCluster cluster() {
        return cluster;
    }

    @Override
    public String name() {
        return cluster.name();
    }

    @Override
    public String bootstrap() {
        return cluster.bootstrap();
    }

    @Override
    public long pid() {
        return cluster.pid(NODE);
    }

    public boolean ready() {
        return cluster.ready(NODE);
    }

    public Metrics metrics() {
        return cluster.metrics(NODE);
    }

    @Override
    public void kill() {
        cluster.kill(NODE);
    }

    @Override
    public void stop() {
        cluster.stop(NODE);
    }

    @Override
    public void start() {
        cluster.start(NODE);
    }

    @Override
    public Path directory() {
        return cluster.directory();
    }

    public Path walDirectory() {
        return cluster.walDirectory(NODE);
    }

    @Override
    public void close() {
        cluster.close();
    }
}
