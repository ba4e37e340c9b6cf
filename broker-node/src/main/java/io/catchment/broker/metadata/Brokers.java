package io.catchment.broker.metadata;

import io.catchment.broker.leader.Leader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.NodeState;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.security.authorizer.AclEntry;

/** The brokers as seen through one listener: with the endpoint that this listener's clients can reach. */
final class Brokers {
    private static final String BROKER_ROLE = "broker";
    private static final String CONTROLLER_ROLE = "controller";

    private Brokers() {}

    /** Live brokers with an endpoint of that name, by id. */
    static List<Node> alive(ClusterImage image, String listener) {
        List<Node> alive = new ArrayList<>();
        for (NodeState node : image.nodes()) {
            if (!node.fenced() && node.roles().contains(BROKER_ROLE)) {
                add(node, listener, alive);
            }
        }
        return alive;
    }

    /** Brokers with an endpoint of that name, the fenced ones (marked so) only if asked for. */
    static List<Node> registered(ClusterImage image, String listener, boolean fencedToo) {
        return withRole(image, listener, BROKER_ROLE, fencedToo);
    }

    static List<Node> controllers(ClusterImage image, String listener) {
        return withRole(image, listener, CONTROLLER_ROLE, true);
    }

    private static List<Node> withRole(ClusterImage image, String listener, String role, boolean fencedToo) {
        List<Node> nodes = new ArrayList<>();
        for (NodeState node : image.nodes()) {
            if (node.roles().contains(role) && (fencedToo || !node.fenced())) {
                add(node, listener, nodes);
            }
        }
        return nodes;
    }

    private static void add(NodeState node, String listener, List<Node> nodes) {
        Node reached = Leader.endpoint(node, listener);
        if (reached != null) {
            nodes.add(reached);
        }
    }

    static boolean reachable(NodeState node, String listener) {
        return Leader.endpoint(node, listener) != null;
    }

    /**
     * The broker that clients send controller requests to: the active controller if it is among the brokers they see, else any,
     * since every broker takes them to the controller; -1 without brokers.
     */
    static int controllerFor(ClusterImage image, List<Node> alive) {
        int active = image.controllerId();
        for (Node node : alive) {
            if (node.id() == active) {
                return active;
            }
        }
        return alive.isEmpty()
                ? MetadataResponse.NO_CONTROLLER_ID
                : alive.get(0).id();
    }

    /** What one may do to a resource while there are no ACLs: everything there is. */
    static int allOperations(ResourceType type) {
        return Utils.to32BitField(AclEntry.supportedOperations(type).stream()
                .map(AclOperation::code)
                .collect(Collectors.toSet()));
    }
}
