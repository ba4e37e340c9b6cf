package io.catchment.broker.coordinatorlog;

import io.catchment.broker.leader.Leader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.TopicState;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The topic a coordinator keeps its state in, created when somebody first looks for a coordinator, as in Kafka. Thread-safe. */
public final class CoordinatorTopic {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorTopic.class);

    private final String name;
    private final Supplier<ClusterImage> image;
    private final Creator creator;
    private final Supplier<CreateTopic> wanted;
    private final AtomicBoolean creating = new AtomicBoolean();

    /** Asks the control plane for a topic. Must not block. */
    @FunctionalInterface
    public interface Creator {
        CompletionStage<CreatedTopic> create(CreateTopic topic);
    }

    /** @param wanted asked for when the topic is to be created */
    public CoordinatorTopic(String name, Supplier<ClusterImage> image, Creator creator, Supplier<CreateTopic> wanted) {
        this.name = name;
        this.image = image;
        this.creator = creator;
        this.wanted = wanted;
    }

    public Optional<TopicState> state() {
        return image.get().topic(name);
    }

    /** Of the topic as it is, else as it will be created. */
    public int partitions() {
        return state().map(state -> state.streams().size())
                .orElseGet(() -> wanted.get().partitions());
    }

    /** Where what has the key is kept, as Kafka's coordinators reckon. */
    public int partitionOf(String key) {
        return Utils.abs(key.hashCode()) % partitions();
    }

    /**
     * The node that coordinates what the partition holds, with its address on the listener; empty when nobody does yet. Then the topic is being
     * created, or its partition has no leader: worth another try later.
     */
    public Optional<Node> leaderOf(int partition, String listener) {
        ClusterImage now = image.get();
        Optional<TopicState> topic = now.topic(name);
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
        CreateTopic topic = wanted.get();
        LOG.info("Creating {} with {} partitions", name, topic.partitions());
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
                    name,
                    String.valueOf(failure));
        } else if (result != null
                && result.error() != null
                && result.error().reason() != CommandException.Reason.ALREADY_EXISTS) {
            LOG.error("{} could not be created: {}", name, result.error());
        }
    }
}
