package io.catchment.broker.topicadmin;

import io.catchment.broker.leader.ImageWaits;
import io.catchment.broker.leader.Leader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Tells when new topics can be used: when the owners have opened their streams, a few milliseconds after the topics were created.
 * Thread-safe.
 */
public final class TopicOpenings {
    private final ImageWaits waits;

    private TopicOpenings(ImageWaits waits) {
        this.waits = waits;
    }

    /** Listens to the control plane for as long as that lives. */
    public static TopicOpenings of(ControlPlane controlPlane) {
        return new TopicOpenings(ImageWaits.of(controlPlane));
    }

    /**
     * Done when all partitions of these topics are open or have no living owner to open them, or after {@code waitMs}: topics
     * that do not exist are not waited for. Never fails.
     */
    public CompletionStage<Void> opened(Collection<String> topics, long waitMs) {
        List<String> names = List.copyOf(topics);
        return waits.until(image -> names.stream().allMatch(name -> isOpen(name, image)), waitMs)
                .thenAccept(open -> {});
    }

    private static boolean isOpen(String name, ClusterImage image) {
        TopicState topic = image.topic(name).orElse(null);
        if (topic == null) {
            return true;
        }
        for (long streamId : topic.streams()) {
            StreamState stream = image.stream(streamId).orElse(null);
            NodeState owner =
                    stream == null ? null : image.node(stream.ownerNodeId()).orElse(null);
            if (stream != null && owner != null && !owner.fenced() && !Leader.isOpen(stream, owner)) {
                return false;
            }
        }
        return true;
    }
}
