package io.catchment.chaos.bench;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.FlushProgress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** One of the two clusters, with what differs between them. CPU and memory are sums over its nodes. */
public final class Contender {
    private static final Duration FLUSH = Duration.ofMinutes(10);
    private final Cluster cluster;

    public Contender(Cluster cluster) {
        this.cluster = cluster;
    }

    String name() {
        return cluster.name();
    }

    public String bootstrap() {
        return cluster.bootstrap();
    }

    public double cpuSeconds() {
        return cluster.nodes().stream()
                .mapToDouble(node -> ProcessCpu.seconds(cluster.pid(node)))
                .sum();
    }

    double residentMb() {
        return cluster.nodes().stream()
                .mapToDouble(node -> ProcessCpu.residentMb(cluster.pid(node)))
                .sum();
    }

    /** For Catchment: everything is in the object store. Kafka has nothing to wait for. */
    void settle() {
        if (cluster instanceof CatchmentCluster catchment) {
            FlushProgress.awaitAllFlushed(catchment, FLUSH);
        }
    }

    /**
     * Nothing of what was written is in memory any more: the nodes start anew, Catchment without its WAL (so that reads come from
     * the object store), and the page cache is dropped.
     *
     * @return whether the machine permitted the latter
     */
    public boolean cool() throws IOException {
        settle();
        for (int node : cluster.nodes()) {
            cluster.stop(node);
            if (cluster instanceof CatchmentCluster catchment) {
                FileTree.delete(catchment.walDirectory(node));
            }
        }
        cluster.startAll();
        return PageCache.drop();
    }

    Cluster cluster() {
        return cluster;
    }

    Path directory() {
        return cluster.directory();
    }
}
