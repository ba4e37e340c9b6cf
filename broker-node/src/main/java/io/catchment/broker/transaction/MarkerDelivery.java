package io.catchment.broker.transaction;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.apache.kafka.common.requests.WriteTxnMarkersResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings markers to the owners of the partitions, this node too, until each partition has its own, however often owners change meanwhile: a
 * marker that comes twice does no harm. One request to a node is under way at a time; what comes meanwhile goes together in the next
 * one. Owned by the coordinator's thread. What waits is bounded by the transactions that the coordinator has under way.
 */
final class MarkerDelivery {
    private static final Logger LOG = LoggerFactory.getLogger(MarkerDelivery.class);
    private static final long RETRY_MS = 50;

    private final Supplier<ClusterImage> image;
    private final PeerRequests peers;
    private final String listener;
    private final SerialLoop loop;
    private final Map<Integer, Destination> destinations = new HashMap<>();

    /** Markers of one transaction on their way. */
    private static final class Delivery {
        final Markers markers;
        final Set<TopicPartition> missing;
        final BooleanSupplier wanted;
        final Runnable done;

        Delivery(Markers markers, BooleanSupplier wanted, Runnable done) {
            this.markers = markers;
            this.missing = new HashSet<>(markers.partitions());
            this.wanted = wanted;
            this.done = done;
        }

        void delivered(TopicPartition partition) {
            if (missing.remove(partition) && missing.isEmpty()) {
                done.run();
            }
        }
    }

    /** What waits for one node. */
    private static final class Destination {
        Map<Delivery, List<TopicPartition>> next = new LinkedHashMap<>();
        boolean busy;
    }

    MarkerDelivery(Supplier<ClusterImage> image, PeerRequests peers, String listener, SerialLoop loop) {
        this.image = image;
        this.peers = peers;
        this.listener = listener;
        this.loop = loop;
    }

    /**
     * @param wanted false once another coordinates the transaction: then it is given up silently
     * @param done on the coordinator's thread, when each partition has its marker
     */
    void deliver(Markers markers, BooleanSupplier wanted, Runnable done) {
        if (markers.partitions().isEmpty()) {
            done.run();
            return;
        }
        route(new Delivery(markers, wanted, done), markers.partitions());
    }

    private void route(Delivery delivery, Iterable<TopicPartition> partitions) {
        ClusterImage now = image.get();
        List<TopicPartition> homeless = new ArrayList<>();
        List<TopicPartition> gone = new ArrayList<>();
        Set<Node> nodes = new HashSet<>();
        for (TopicPartition partition : partitions) {
            Optional<TopicState> topic = now.topic(partition.topic())
                    .filter(known -> partition.partition() < known.streams().size());
            Node owner = topic.map(known -> Leader.of(now, known, partition.partition(), listener)
                            .endpoint())
                    .orElse(null);
            if (topic.isEmpty()) {
                gone.add(partition);
            } else if (owner == null) {
                homeless.add(partition);
            } else {
                destinations
                        .computeIfAbsent(owner.id(), id -> new Destination())
                        .next
                        .computeIfAbsent(delivery, each -> new ArrayList<>())
                        .add(partition);
                nodes.add(owner);
            }
        }
        // A deleted topic needs no marker.
        gone.forEach(delivery::delivered);
        nodes.forEach(this::send);
        if (!homeless.isEmpty()) {
            later(delivery, homeless);
        }
    }

    private void later(Delivery delivery, List<TopicPartition> partitions) {
        loop.schedule(
                () -> {
                    if (delivery.wanted.getAsBoolean()) {
                        route(delivery, partitions);
                    }
                },
                RETRY_MS);
    }

    private void send(Node node) {
        Destination destination = destinations.get(node.id());
        if (destination == null || destination.busy || destination.next.isEmpty()) {
            return;
        }
        Map<Delivery, List<TopicPartition>> batch = destination.next;
        destination.next = new LinkedHashMap<>();
        batch.keySet().removeIf(delivery -> !delivery.wanted.getAsBoolean());
        if (batch.isEmpty()) {
            return;
        }
        destination.busy = true;
        List<TxnMarkerEntry> entries = new ArrayList<>(batch.size());
        batch.forEach((delivery, partitions) -> entries.add(entry(delivery.markers, partitions)));
        var unused = peers.send(node, new WriteTxnMarkersRequest.Builder(entries))
                .whenComplete((response, failure) -> loop.execute(() -> {
                    destination.busy = false;
                    answered(node, batch, response, failure);
                    send(node);
                }));
    }

    private static TxnMarkerEntry entry(Markers markers, List<TopicPartition> partitions) {
        return new TxnMarkerEntry(
                markers.producerId(),
                markers.producerEpoch(),
                markers.coordinatorEpoch(),
                markers.commit() ? TransactionResult.COMMIT : TransactionResult.ABORT,
                partitions,
                markers.transactionVersion());
    }

    private void answered(
            Node node,
            Map<Delivery, List<TopicPartition>> batch,
            @Nullable AbstractResponse response,
            @Nullable Throwable failure) {
        if (failure != null) {
            LOG.info("Markers for node {} are sent again: {}", node.id(), failure.toString());
        }
        Map<Long, Map<TopicPartition, Errors>> errors =
                response instanceof WriteTxnMarkersResponse answer ? answer.errorsByProducerId() : Map.of();
        batch.forEach((delivery, partitions) -> {
            Map<TopicPartition, Errors> mine = errors.getOrDefault(delivery.markers.producerId(), Map.of());
            List<TopicPartition> again = new ArrayList<>();
            for (TopicPartition partition : partitions) {
                if (isOver(delivery, partition, mine.getOrDefault(partition, Errors.NETWORK_EXCEPTION))) {
                    delivery.delivered(partition);
                } else {
                    again.add(partition);
                }
            }
            if (!again.isEmpty()) {
                later(delivery, again);
            }
        });
    }

    private static boolean isOver(Delivery delivery, TopicPartition partition, Errors error) {
        if (error == Errors.NONE) {
            return true;
        }
        if (error == Errors.INVALID_PRODUCER_EPOCH || error == Errors.TRANSACTION_COORDINATOR_FENCED) {
            // A later epoch was seen there, so this transaction was ended there by someone else: an administrator, or
            // the next coordinator.
            LOG.warn("The marker of transaction {} is not wanted by {}: {}", delivery.markers, partition, error);
            return true;
        }
        LOG.debug("The marker of transaction {} is sent to {} again: {}", delivery.markers, partition, error);
        return false;
    }
}
