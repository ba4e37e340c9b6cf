package io.catchment.broker.transaction;

import io.catchment.broker.leader.Leader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.TopicState;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where transactions live: {@code __transaction_state}, created when somebody first looks for a coordinator (as Kafka does), and which node
 * coordinates an id. Thread-safe.
 */
public final class TransactionTopic {
    static final String NAME = Topic.TRANSACTION_STATE_TOPIC_NAME;
    private static final Logger LOG = LoggerFactory.getLogger(TransactionTopic.class);

    private final Supplier<ClusterImage> image;
    private final Function<CreateTopic, CompletionStage<CreatedTopic>> creator;
    private final CreateTopic wanted;
    private final AtomicBoolean creating = new AtomicBoolean();

    /** @param creator asks the control plane for a topic; must not block */
    public TransactionTopic(
            Supplier<ClusterImage> image,
            Function<CreateTopic, CompletionStage<CreatedTopic>> creator,
            TransactionSettings settings) {
        this.image = image;
        this.creator = creator;
        this.wanted = topic(settings);
    }

    /** As Kafka has it. */
    public static CreateTopic topic(TransactionSettings settings) {
        return new CreateTopic(
                NAME,
                settings.partitions(),
                settings.replicationFactor(),
                Map.of(
                        "cleanup.policy",
                        "compact",
                        "compression.type",
                        "uncompressed",
                        "segment.bytes",
                        Integer.toString(settings.segmentBytes())));
    }

    /** Of the topic as it is, else as it will be created. */
    int partitionOf(String transactionalId) {
        int partitions =
                image.get().topic(NAME).map(topic -> topic.streams().size()).orElse(wanted.partitions());
        return Utils.abs(transactionalId.hashCode()) % partitions;
    }

    /**
     * The node that coordinates the id, with its address on the listener; empty when nobody does yet. Then the topic is being created, or its
     * partition has no leader: worth another try later.
     */
    public Optional<Node> coordinatorOf(String transactionalId, String listener) {
        ClusterImage now = image.get();
        Optional<TopicState> topic = now.topic(NAME);
        if (topic.isEmpty()) {
            createOnce();
            return Optional.empty();
        }
        int partition = partitionOf(transactionalId);
        return Leader.isOpen(now, topic.get(), partition)
                ? Optional.ofNullable(
                        Leader.of(now, topic.get(), partition, listener).endpoint())
                : Optional.empty();
    }

    private void createOnce() {
        if (!creating.compareAndSet(false, true)) {
            return;
        }
        LOG.info("Creating {} with {} partitions", NAME, wanted.partitions());
        try {
            var unused = creator.apply(wanted).whenComplete(this::created);
        } catch (RuntimeException e) {
            created(null, e);
        }
    }

    private void created(@Nullable CreatedTopic result, @Nullable Throwable failure) {
        creating.set(false);
        if (failure != null) {
            LOG.warn(
                    "{} could not be created, the next client's question tries again: {}",
                    NAME,
                    String.valueOf(failure));
        } else if (result != null
                && result.error() != null
                && result.error().reason() != CommandException.Reason.ALREADY_EXISTS) {
            LOG.error("{} could not be created: {}", NAME, result.error());
        }
    }
}
