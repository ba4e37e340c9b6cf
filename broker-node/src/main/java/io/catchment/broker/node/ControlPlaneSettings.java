package io.catchment.broker.node;

import io.catchment.broker.config.Listener;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.config.NodeRole;
import io.catchment.controlplane.server.ControlPlaneConfig;
import io.catchment.controlplane.server.ControlPlaneConfig.Formation;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** The control plane's settings by the node's configuration. */
final class ControlPlaneSettings {
    private ControlPlaneSettings() {}

    /** @param port that the controller listener is bound to; 0 on a node without one */
    static ControlPlaneConfig of(NodeConfig config, String clusterId, int port) {
        Set<String> roles = config.roles().stream()
                .map(role -> role.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.toSet());
        String host = config.listeners().controllerTold().map(Listener::host).orElse("localhost");
        int toldPort = config.listeners()
                .controllerTold()
                .map(Listener::port)
                .filter(told -> told != 0)
                .orElse(port);
        List<String> controllers = config.control().bootstrap();
        Formation formation = formation(config, host + ":" + toldPort);
        ControlPlaneConfig settings = formation == Formation.ALONE
                ? ControlPlaneConfig.singleController(
                        config.nodeId(), clusterId, config.controlDirectory(), roles, host, toldPort)
                : ControlPlaneConfig.joining(
                        config.nodeId(),
                        clusterId,
                        config.controlDirectory(),
                        roles,
                        host,
                        toldPort,
                        formation,
                        controllers);
        return settings.withReplicas(config.wal().replicas(), config.wal().ackQuorum())
                .withLease(config.control().heartbeatMs(), config.control().leaseMs())
                .withCommandTimeoutMs(config.control().commandTimeoutMs());
    }

    /** The first of the controllers forms the cluster, unless the others know of one; alone it needs to ask nobody. */
    private static Formation formation(NodeConfig config, String self) {
        List<String> controllers = config.control().bootstrap();
        if (!config.has(NodeRole.CONTROLLER)) {
            return Formation.JOIN;
        }
        if (controllers.isEmpty() || controllers.equals(List.of(self))) {
            return Formation.ALONE;
        }
        if (controllers.get(0).equals(self)) {
            return Formation.FORM_OR_JOIN;
        }
        return config.control().autoJoin() ? Formation.JOIN_AND_VOTE : Formation.JOIN;
    }
}
