package io.catchment.controlplane.server;

import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.proto.Hello;
import io.catchment.controlplane.rpc.LeaderConnection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.utils.Time;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the other controllers whether there is a cluster already, before an unused directory forms one. Only what all of them say
 * counts: with one of them silent a wiped disk could form a second cluster of the same name, whose state would be another. Blocks.
 */
final class ClusterProbe {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterProbe.class);
    private static final long PATIENCE_MS = 120_000;
    private static final long ANSWER_MS = 1_000;
    private static final long RETRY_MS = 200;

    private ClusterProbe() {}

    /** @throws IOException when not all of them answered in time */
    static boolean findsNone(ControlPlaneConfig config, Time time) throws IOException {
        String self = config.host() + ":" + config.port();
        List<String> others =
                config.controllers().stream().filter(each -> !each.equals(self)).toList();
        long deadlineMs = time.hiResClockMs() + PATIENCE_MS;
        try (LeaderConnection connection =
                new LeaderConnection(ListenerName.normalised(config.listener()), config.nodeId(), time)) {
            for (String other : others) {
                if (hasState(connection, config.clusterId(), other, time, deadlineMs)) {
                    LOG.info("controller {} knows cluster {}: this node joins it", other, config.clusterId());
                    return false;
                }
            }
        }
        LOG.info("no other controller of {} knows cluster {}: this node forms it", others, config.clusterId());
        return true;
    }

    private static boolean hasState(
            LeaderConnection connection, String clusterId, String controller, Time time, long deadlineMs)
            throws IOException {
        CommandRequest hello = CommandRequest.newBuilder()
                .setClusterId(clusterId)
                .setHello(Hello.getDefaultInstance())
                .build();
        String obstacle = "";
        while (time.hiResClockMs() < deadlineMs) {
            try {
                CommandResponse answer =
                        connection.send(address(controller), hello).get(ANSWER_MS, TimeUnit.MILLISECONDS);
                if (answer.getStatus() != Status.DONE) {
                    throw new IOException(
                            "controller " + controller + " is of another cluster: " + answer.getMessage());
                }
                return answer.getAnswer().getKnowledge().getHasState();
            } catch (ExecutionException | TimeoutException e) {
                obstacle = String.valueOf(e);
                time.sleep(RETRY_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while asking controller " + controller, e);
            }
        }
        throw new IOException("it cannot be told whether cluster " + clusterId + " exists: controller " + controller
                + " does not answer (" + obstacle + "); start it, or form the cluster on purpose");
    }

    private static InetSocketAddress address(String controller) {
        int colon = controller.lastIndexOf(':');
        return InetSocketAddress.createUnresolved(
                controller.substring(0, colon), Integer.parseInt(controller.substring(colon + 1)));
    }
}
