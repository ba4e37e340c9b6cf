package io.catchment.broker.coordinatorlog;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.TopicImage;
import org.apache.kafka.image.TopicsDelta;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a coordinator of topics and configs, on a thread of its own: after a topic's deletion Kafka's service blocks its
 * caller until the removal of its offsets is acknowledged. Images that arrive meanwhile replace each other, so at most one
 * waits; what they deleted is remembered until then, for a topic that came and went in between may have had its offsets
 * committed too. {@code applied} is owned by that thread (by the starter before).
 */
public final class ImageFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ImageFeed.class);
    private static final long IDLE_THREAD_MS = 5_000;

    private final String name;
    private final Target target;
    private final AtomicReference<@Nullable Change> waiting = new AtomicReference<>();
    private final ThreadPoolExecutor thread;
    private MetadataImage applied = MetadataImage.EMPTY;
    private volatile boolean closed;

    /** @param deleted topics by id, since the image applied last */
    private record Change(MetadataImage image, Map<Uuid, TopicImage> deleted) {}

    /** The coordinator; may block. */
    @FunctionalInterface
    public interface Target {
        void update(MetadataDelta delta, MetadataImage image);
    }

    /** @param name of the thread */
    public ImageFeed(String name, Target target) {
        this.name = name;
        this.target = target;
        this.thread = new ThreadPoolExecutor(
                1, 1, IDLE_THREAD_MS, TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(2), DaemonThreads.named(name));
        thread.allowCoreThreadTimeOut(true);
    }

    /** Before any partition is loaded: there is no change to speak of, and nothing blocks. */
    public void begin(MetadataImage image) {
        target.update(TopicsDifference.none(image), image);
        applied = image;
    }

    /** {@code delta} is what led to the image. */
    public void offer(MetadataDelta delta, MetadataImage image) {
        Change before = waiting.getAndUpdate(present -> merge(present, delta, image));
        if (before == null) {
            try {
                thread.execute(this::apply);
            } catch (RejectedExecutionException e) {
                if (!closed) {
                    throw e;
                }
            }
        }
    }

    private static Change merge(@Nullable Change present, MetadataDelta delta, MetadataImage image) {
        TopicsDelta topics = delta.topicsDelta();
        Map<Uuid, TopicImage> deleted = present == null ? Map.of() : present.deleted();
        if (topics != null && !topics.deletedTopicIds().isEmpty()) {
            deleted = new HashMap<>(deleted);
            for (Uuid id : topics.deletedTopicIds()) {
                TopicImage topic = topics.image().getTopic(id);
                if (topic != null) {
                    deleted.put(id, topic);
                }
            }
        }
        return new Change(image, deleted);
    }

    private void apply() {
        Change change = waiting.getAndSet(null);
        if (change == null) {
            return;
        }
        MetadataImage image = change.image();
        try {
            MetadataImage before =
                    TopicsDifference.including(applied, change.deleted().values());
            target.update(TopicsDifference.between(before, image), image);
        } catch (RuntimeException e) {
            if (!closed) {
                LOG.error("{}: the image of offset {} could not be applied", name, image.offset(), e);
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
