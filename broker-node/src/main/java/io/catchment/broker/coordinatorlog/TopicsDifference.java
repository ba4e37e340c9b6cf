package io.catchment.broker.coordinatorlog;

import java.util.Collection;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.TopicImage;
import org.apache.kafka.image.writer.ImageWriterOptions;
import org.apache.kafka.server.common.MetadataVersion;

/**
 * What changed about topics between any two images, in Kafka's form. It lets the coordinator be given the newest image only,
 * however many lie between: nothing queues up while it is busy. Costs one pass over the topics; unchanged ones are recognised
 * by identity. Pure functions.
 */
final class TopicsDifference {
    private static final ImageWriterOptions NEWEST =
            new ImageWriterOptions.Builder(MetadataVersion.latestProduction()).build();

    private TopicsDifference() {}

    static MetadataDelta none(MetadataImage image) {
        return new MetadataDelta.Builder().setImage(image).build();
    }

    /** The image as if it had these topics too (by name and id only). */
    static MetadataImage including(MetadataImage image, Collection<TopicImage> topics) {
        if (topics.stream().allMatch(topic -> image.topics().getTopic(topic.id()) != null)) {
            return image;
        }
        MetadataDelta delta = none(image);
        for (TopicImage topic : topics) {
            if (image.topics().getTopic(topic.id()) == null) {
                delta.replay(new TopicRecord().setTopicId(topic.id()).setName(topic.name()));
            }
        }
        return delta.apply(image.provenance());
    }

    @SuppressWarnings("ReferenceEquality") // images share what did not change
    static MetadataDelta between(MetadataImage before, MetadataImage after) {
        MetadataDelta delta = none(before);
        if (before.topics() == after.topics()) {
            return delta;
        }
        for (TopicImage topic : before.topics().topicsById().values()) {
            if (after.topics().getTopic(topic.id()) == null) {
                delta.replay(new RemoveTopicRecord().setTopicId(topic.id()));
            }
        }
        for (TopicImage topic : after.topics().topicsById().values()) {
            TopicImage old = before.topics().getTopic(topic.id());
            if (old == topic) {
                continue;
            }
            if (old == null) {
                delta.replay(new TopicRecord().setTopicId(topic.id()).setName(topic.name()));
            } else if (old.equals(topic)) {
                continue;
            }
            replayPartitions(delta, topic.id(), topic);
        }
        return delta;
    }

    private static void replayPartitions(MetadataDelta delta, Uuid topicId, TopicImage topic) {
        topic.partitions()
                .forEach((partition, registration) -> delta.replay((PartitionRecord)
                        registration.toRecord(topicId, partition, NEWEST).message()));
    }
}
