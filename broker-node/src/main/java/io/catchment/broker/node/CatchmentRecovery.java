package io.catchment.broker.node;

import io.catchment.broker.bucket.BucketOwner;
import io.catchment.broker.config.InvalidNodeConfigException;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.recover.BucketRecovery;
import io.catchment.broker.recover.RecoveryException;
import io.catchment.broker.recover.RecoveryReport;
import io.catchment.controlplane.archive.Restoration.Restored;
import io.catchment.controlplane.server.ControlPlaneConfig;
import io.catchment.controlplane.server.ControlPlaneConfig.Formation;
import io.catchment.controlplane.server.ControlPlaneServer;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.open.ObjectStores;
import io.catchment.objectstore.retry.RetryPolicy;
import io.catchment.objectstore.retry.StoreListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Makes the directory of a new cluster's first controller from the bucket that its configuration names: {@code catchment recover}. Then that
 * node and all others are started as those of any new cluster.
 */
@Command(
        name = "recover",
        mixinStandardHelpOptions = true,
        description =
                "Takes over the object store of a cluster that is gone, and gives its state to a new cluster's first controller.")
public final class CatchmentRecovery implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(CatchmentRecovery.class);
    private static final int EXIT_CONFIG = 2;
    private static final int EXIT_FAILED = 3;

    @Option(names = "--config", required = true, description = "The first controller's properties file.")
    private Path config = Path.of("node.properties");

    private CatchmentRecovery() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new CatchmentRecovery()).execute(args));
    }

    @Override
    public Integer call() throws InterruptedException {
        try {
            NodeConfig parsed = NodeConfig.of(CatchmentServer.read(config));
            return recover(parsed);
        } catch (InvalidNodeConfigException | IOException e) {
            System.err.println(config + ": " + e.getMessage());
            return EXIT_CONFIG;
        } catch (RecoveryException e) {
            log.error("The recovery failed: {}", e.getMessage(), e);
            System.err.println("The recovery failed: " + e.getMessage());
            return EXIT_FAILED;
        }
    }

    static int recover(NodeConfig config) throws IOException, RecoveryException, InterruptedException {
        String clusterId = ClusterId.of(config);
        ControlPlaneConfig control = ControlPlaneSettings.of(config, clusterId, 0);
        if (control.formation() != Formation.ALONE && control.formation() != Formation.FORM_OR_JOIN) {
            throw new IOException("node " + config.nodeId()
                    + " is not the first of controller.quorum.bootstrap.servers: recover that one, the others join it");
        }
        if (!ControlPlaneServer.isUnused(control)) {
            System.out.println("The state is in " + config.controlDirectory() + " already.");
            return 0;
        }
        Restored restored = fromBucket(config, clusterId);
        ControlPlaneServer.restore(control, restored.image());
        RecoveryReport.of(restored).forEach(line -> {
            log.info(line);
            System.out.println(line);
        });
        return 0;
    }

    private static Restored fromBucket(NodeConfig config, String clusterId)
            throws RecoveryException, InterruptedException {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "timer");
            thread.setDaemon(true);
            return thread;
        });
        try (ObjectStore store = ObjectStores.open(
                config.store().uri(), config.store().settings(), RetryPolicy.DEFAULT, timer, StoreListener.NONE)) {
            return new BucketRecovery(
                            store,
                            clusterId,
                            BucketOwner.validityMs(config.store().checkMs()),
                            System::currentTimeMillis,
                            Thread::sleep,
                            timer)
                    .run();
        } finally {
            timer.shutdownNow();
        }
    }
}
