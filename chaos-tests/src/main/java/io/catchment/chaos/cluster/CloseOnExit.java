package io.catchment.chaos.cluster;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends a cluster's processes when this program is ended by a signal: they are not its children and would go on. */
final class CloseOnExit {
    private static final Logger LOG = LoggerFactory.getLogger(CloseOnExit.class);
    private final Thread hook;

    CloseOnExit(Cluster cluster) {
        this.hook = new Thread(
                () -> {
                    LOG.warn("ended early: killing {} in {}", cluster.name(), cluster.directory());
                    cluster.close();
                },
                "close-on-exit");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** The cluster is closed in the ordinary way. */
    void done() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            LOG.debug("the program is ending, the hook runs", e);
        }
    }
}
