package io.catchment.broker.group;

import io.catchment.broker.leader.Leader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.CommandException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where groups live: {@code __consumer_offsets}, created when somebody first looks for a coordinator (as Kafka does), and
 * which node serves a group. Thread-safe.
 */
public final class OffsetsTopic {
    private static final Logger LOG = LoggerFactory.getLogger(OffsetsTopic.class);

    private static final String NAME = Topic.GROUP_METADATA_TOPIC_NAME;

    private final GroupCoordinator coordinator;
    private final Supplier<ClusterImage> image;
    private final Creator creator;
    private final int partitions;
    private final short replicationFactor;
    private final AtomicBoolean creating = new AtomicBoolean();

    /** Asks the control plane for a topic. Must not block. */
    @FunctionalInterface
    public interface Creator {
        CompletionStage<CreatedTopic> create(CreateTopic topic);
    }

    OffsetsTopic(GroupCoordinator coordinator, Supplier<ClusterImage> image, Creator creator, GroupSettings settings) {
        this.coordinator = coordinator;
        this.image = image;
        this.creator = creator;
        this.partitions = settings.coordinator().offsetsTopicPartitions();
        this.replicationFactor = settings.coordinator().offsetsTopicReplicationFactor();
    }

    /**
     * The node that coordinates the group, with its address on the listener; empty when nobody does yet. Then the topic is
     * being created, or its partition has no leader: worth another try later. Throws CoordinatorNotAvailableException while
     * this node's coordinator is not running.
     */
    public Optional<Node> coordinatorOf(String group, String listener) {
        int partition = coordinator.partitionFor(group);
        ClusterImage now = image.get();
        var topic = now.topic(NAME);
        if (topic.isEmpty()) {
            createOnce();
            return Optional.empty();
        }
        // Until its partition is open the node would only say that it does not coordinate
        return Leader.isOpen(now, topic.get(), partition)
                ? Optional.ofNullable(
                        Leader.of(now, topic.get(), partition, listener).endpoint())
                : Optional.empty();
    }

    private void createOnce() {
        if (!creating.compareAndSet(false, true)) {
            return;
        }
        LOG.info("Creating {} with {} partitions", NAME, partitions);
        Map<String, String> configs = new TreeMap<>();
        coordinator
                .groupMetadataTopicConfigs()
                .forEach((key, value) -> configs.put(String.valueOf(key), String.valueOf(value)));
        CreateTopic topic = new CreateTopic(NAME, partitions, replicationFactor, configs);
        try {
            var unused = creator.create(topic).whenComplete(this::created);
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
