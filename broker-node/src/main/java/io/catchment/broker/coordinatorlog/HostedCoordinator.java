package io.catchment.broker.coordinatorlog;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ImageDelta;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The life of one of Kafka's coordinator services on this node: it is started once, told which partitions of its topic it leads and what the
 * cluster looks like, in order, and ended. What comes before the start is kept for it, what comes after the end is dropped.
 *
 * <p>None of the calls but {@link #close} blocks. Calls about one partition come in order; otherwise any thread may call.
 */
public final class HostedCoordinator implements AutoCloseable {
    private enum Phase {
        NEW,
        STARTED,
        CLOSED
    }

    private final String topic;
    private final Tenures tenures;
    private final Service service;
    private final ImageFeed images;

    /** Guards the phase and what waits for the start. */
    private final ReentrantLock lifecycle = new ReentrantLock();

    private final SortedMap<Integer, Integer> openedEarly = new TreeMap<>();
    private @Nullable ClusterImage seenEarly;
    private Phase phase = Phase.NEW;

    /**
     * What Kafka's services have alike, without an interface for it.
     *
     * @param startup how many partitions its topic has; it is settled by this for as long as it lives
     * @param elected partition and leader epoch
     * @param resigned partition and leader epoch, empty: whatever it was
     * @param shutdown waits for its threads to end
     */
    public record Service(
            Consumer<IntSupplier> startup,
            BiConsumer<Integer, Integer> elected,
            BiConsumer<Integer, OptionalInt> resigned,
            Runnable shutdown) {}

    /**
     * @param topic where the service keeps its state
     * @param tenures of partitions of the topic, which the service's writer and loader go by
     * @param images feeds the service; closed here
     */
    public HostedCoordinator(String topic, Tenures tenures, Service service, ImageFeed images) {
        this.topic = topic;
        this.tenures = tenures;
        this.service = service;
        this.images = images;
    }

    /**
     * With an image that is complete. Partitions opened before are elected now.
     *
     * @param partitions of the topic
     */
    public void start(ClusterImage image, IntSupplier partitions) {
        lifecycle.lock();
        try {
            if (phase != Phase.NEW) {
                throw new IllegalStateException("The coordinator of " + topic + " was started before");
            }
            service.startup().accept(partitions);
            // The control plane may have moved on between the caller's look at the image and this.
            images.begin(newest(image).metadata());
            phase = Phase.STARTED;
            seenEarly = null;
            openedEarly.forEach(service.elected());
            openedEarly.clear();
        } finally {
            lifecycle.unlock();
        }
    }

    private ClusterImage newest(ClusterImage image) {
        return seenEarly != null && seenEarly.offset() > image.offset() ? seenEarly : image;
    }

    /** To be called on each change that matters to the service. */
    public void onImage(ImageDelta delta, ClusterImage image) {
        lifecycle.lock();
        try {
            switch (phase) {
                case NEW -> seenEarly = image;
                case STARTED -> images.offer(delta.metadata(), image.metadata());
                case CLOSED -> {}
            }
        } finally {
            lifecycle.unlock();
        }
    }

    /** A partition of the topic serves: its acknowledged end is known and readable. */
    public void onPartitionOpened(int partition, int leaderEpoch) {
        lifecycle.lock();
        try {
            switch (phase) {
                case NEW -> openedEarly.put(partition, leaderEpoch);
                case STARTED -> service.elected().accept(partition, leaderEpoch);
                case CLOSED -> {}
            }
        } finally {
            lifecycle.unlock();
        }
    }

    /** Ownership was lost, given up, or the topic deleted: what the coordinator still wants to write is refused from here on. */
    public void onPartitionClosed(int partition) {
        lifecycle.lock();
        try {
            tenures.end(new TopicPartition(topic, partition));
            switch (phase) {
                case NEW -> openedEarly.remove(partition);
                case STARTED -> service.resigned().accept(partition, OptionalInt.empty());
                case CLOSED -> {}
            }
        } finally {
            lifecycle.unlock();
        }
    }

    /** Waits for the coordinator's threads to end. */
    @Override
    public void close() {
        lifecycle.lock();
        try {
            if (phase == Phase.CLOSED) {
                return;
            }
            if (phase == Phase.NEW) {
                // Kafka's service only shuts down what was started up.
                service.startup().accept(() -> 1);
            }
            phase = Phase.CLOSED;
        } finally {
            lifecycle.unlock();
        }
        images.close();
        service.shutdown().run();
    }
}
