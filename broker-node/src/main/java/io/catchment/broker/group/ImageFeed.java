package io.catchment.broker.group;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.image.MetadataImage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the coordinator of topics and configs, on a thread of its own: after a topic's deletion Kafka's service blocks its
 * caller until the removal of its offsets is acknowledged. Images that arrive meanwhile replace each other, so at most one
 * waits. {@code applied} is owned by that thread (by the starter before).
 */
final class ImageFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ImageFeed.class);
    private static final long IDLE_THREAD_MS = 5_000;

    private final GroupCoordinator coordinator;
    private final GroupConfigs configs;
    private final AtomicReference<@Nullable MetadataImage> waiting = new AtomicReference<>();
    private final ThreadPoolExecutor thread;
    private MetadataImage applied = MetadataImage.EMPTY;
    private volatile boolean closed;

    ImageFeed(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
        this.configs = new GroupConfigs(coordinator);
        this.thread = new ThreadPoolExecutor(
                1,
                1,
                IDLE_THREAD_MS,
                TimeUnit.MILLISECONDS,
                new LinkedBlockingQueue<>(2),
                DaemonThreads.named("group-image"));
        thread.allowCoreThreadTimeOut(true);
    }

    /** Before any partition is loaded: there is no change to speak of, and nothing blocks. */
    void begin(MetadataImage image) {
        coordinator.onMetadataUpdate(TopicsDifference.none(image), image);
        configs.apply(image.configs());
        applied = image;
    }

    void offer(MetadataImage image) {
        if (waiting.getAndSet(image) == null) {
            try {
                thread.execute(this::apply);
            } catch (RejectedExecutionException e) {
                if (!closed) {
                    throw e;
                }
            }
        }
    }

    private void apply() {
        MetadataImage image = waiting.getAndSet(null);
        if (image == null) {
            return;
        }
        try {
            configs.apply(image.configs());
            coordinator.onMetadataUpdate(TopicsDifference.between(applied, image), image);
        } catch (RuntimeException e) {
            if (!closed) {
                LOG.error("The group coordinator could not apply the image of offset {}", image.offset(), e);
            }
        }
        applied = image;
    }

    @Override
    public void close() {
        closed = true;
        thread.shutdownNow();
    }
}
