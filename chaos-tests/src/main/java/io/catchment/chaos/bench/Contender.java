package io.catchment.chaos.bench;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.cluster.Server;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** One of the two servers, with what differs between them. */
final class Contender {
    private static final Duration FLUSH = Duration.ofMinutes(10);
    private final Server server;

    Contender(Server server) {
        this.server = server;
    }

    String name() {
        return server.name();
    }

    String bootstrap() {
        return server.bootstrap();
    }

    double cpuSeconds() {
        return ProcessCpu.seconds(server.pid());
    }

    double residentMb() {
        return ProcessCpu.residentMb(server.pid());
    }

    /** For Catchment: everything is in the object store. Kafka has nothing to wait for. */
    void settle() {
        if (server instanceof CatchmentServer catchment) {
            FlushProgress.awaitAllFlushed(catchment, FLUSH);
        }
    }

    /**
     * Nothing of what was written is in memory any more: the server starts anew, Catchment without its WAL (so that reads come from
     * the object store), and the page cache is dropped.
     *
     * @return whether the machine permitted the latter
     */
    boolean cool() throws IOException {
        settle();
        server.stop();
        if (server instanceof CatchmentServer catchment) {
            FileTree.delete(catchment.walDirectory());
        }
        server.start();
        return PageCache.drop();
    }

    Path directory() {
        return server.directory();
    }
}
