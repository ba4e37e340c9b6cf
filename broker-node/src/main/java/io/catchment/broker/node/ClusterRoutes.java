package io.catchment.broker.node;

import io.catchment.broker.extents.Extents;
import io.catchment.broker.observe.HttpRoute;
import io.catchment.broker.observe.HttpRoute.Answer;
import io.catchment.broker.observe.HttpServer;
import io.catchment.broker.observe.Json;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A node's place in the cluster, over HTTP: {@code GET /status}; {@code POST /drain} rids this node of its streams and of others'
 * open extents, before it is stopped for good; {@code POST /remove?node=N} takes a stopped and drained node out of the cluster's state. Immutable.
 */
final class ClusterRoutes {
    private final int nodeId;
    private final ControlPlane controlPlane;
    private final NodeEpochs epochs;

    private ClusterRoutes(int nodeId, ControlPlane controlPlane, NodeEpochs epochs) {
        this.nodeId = nodeId;
        this.controlPlane = controlPlane;
        this.epochs = epochs;
    }

    static void add(HttpServer http, int nodeId, ControlPlane controlPlane, NodeEpochs epochs) {
        ClusterRoutes routes = new ClusterRoutes(nodeId, controlPlane, epochs);
        http.route("/status", call -> CompletableFuture.completedFuture(routes.status()))
                .route("/drain", routes::drain)
                .route("/remove", routes::remove);
    }

    private Answer status() {
        ClusterImage image = controlPlane.image();
        Optional<NodeState> node = image.node(nodeId);
        long owned = image.streams().stream()
                .filter(stream -> stream.ownerNodeId() == nodeId)
                .count();
        long unflushed = 0;
        boolean lastCopies = false;
        for (ExtentState extent : image.extents()) {
            boolean pending = extent.phase() != ExtentState.Phase.FLUSHED && extent.length() != 0;
            if (pending && extent.writerNodeId() == nodeId) {
                unflushed++;
            }
            lastCopies |=
                    extent.phase() == ExtentState.Phase.SEALED && extent.length() > 0 && isOnlyHere(extent, image);
        }
        return Answer.json(
                200,
                "{\"nodeId\":" + nodeId
                        + ",\"epoch\":" + epochs.epoch()
                        + ",\"fenced\":" + node.map(NodeState::fenced).orElse(true)
                        + ",\"draining\":" + node.map(NodeState::draining).orElse(false)
                        + ",\"controller\":" + image.controllerId()
                        + ",\"owned\":" + owned
                        + ",\"open\":" + epochs.openPartitions()
                        + ",\"unflushedExtents\":" + unflushed
                        + ",\"holdsLastCopies\":" + lastCopies
                        + ",\"openElsewhere\":" + Extents.openElsewhere(image, nodeId)
                        + ",\"unavailable\":"
                        + epochs.obstacles().stream().map(Json::quote).collect(Collectors.joining(",", "[", "]"))
                        + ",\"nodes\":"
                        + image.nodes().stream().filter(NodeState::isLive).count()
                        + "}\n");
    }

    private boolean isOnlyHere(ExtentState extent, ClusterImage image) {
        boolean here = extent.holders().stream().anyMatch(holder -> holder.nodeId() == nodeId);
        return here
                && extent.holders().stream()
                        .allMatch(holder -> holder.nodeId() == nodeId
                                || image.node(holder.nodeId())
                                        .filter(NodeState::isLive)
                                        .isEmpty());
    }

    private CompletionStage<Answer> drain(HttpRoute.Call call) {
        if (!call.method().equals("POST")) {
            return CompletableFuture.completedFuture(Answer.text(405, "Only POST.\n"));
        }
        return controlPlane
                .submit(new Command.DrainNode(nodeId, true))
                .handle((done, failure) -> answer(failure, "draining\n"));
    }

    private CompletionStage<Answer> remove(HttpRoute.Call call) {
        if (!call.method().equals("POST")) {
            return CompletableFuture.completedFuture(Answer.text(405, "Only POST.\n"));
        }
        List<String> nodes = call.query().getOrDefault("node", List.of());
        if (nodes.size() != 1 || !nodes.get(0).matches("[0-9]{1,9}")) {
            return CompletableFuture.completedFuture(Answer.text(400, "Which node? /remove?node=N\n"));
        }
        return controlPlane
                .submit(new Command.RemoveNode(Integer.parseInt(nodes.get(0))))
                .handle((done, failure) -> answer(failure, "removed\n"));
    }

    private static Answer answer(@Nullable Throwable failure, String done) {
        if (failure == null) {
            return Answer.text(200, done);
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return Answer.text(409, cause.getMessage() + "\n");
    }
}
