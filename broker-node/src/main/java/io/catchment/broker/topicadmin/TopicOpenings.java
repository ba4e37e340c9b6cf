package io.catchment.broker.topicadmin;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Tells when new topics can be used: when the owners have opened their streams, a few milliseconds after the topics were created.
 * Thread-safe.
 */
public final class TopicOpenings {
    private final ControlPlane controlPlane;
    private final Set<Wait> waits = ConcurrentHashMap.newKeySet();

    private TopicOpenings(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    /** Listens to the control plane for as long as that lives. */
    public static TopicOpenings of(ControlPlane controlPlane) {
        TopicOpenings openings = new TopicOpenings(controlPlane);
        controlPlane.subscribe(openings::changed);
        return openings;
    }

    /**
     * Done when all partitions of these topics are open or have no living owner to open them, or after {@code waitMs}: topics
     * that do not exist are not waited for. Never fails.
     */
    public CompletionStage<Void> opened(Collection<String> topics, long waitMs) {
        Wait wait = new Wait(List.copyOf(topics), new CompletableFuture<>());
        waits.add(wait);
        CompletableFuture<Void> forgotten = wait.done
                .completeOnTimeout(null, waitMs, TimeUnit.MILLISECONDS)
                .whenComplete((nothing, failure) -> waits.remove(wait));
        // after it was added: a change in between is seen here or heard of
        wait.look(controlPlane.image());
        return forgotten;
    }

    private void changed(ImageDelta delta, ClusterImage image) {
        if (!waits.isEmpty() && (delta.nodesChanged() || !delta.streams().isEmpty())) {
            waits.forEach(wait -> wait.look(image));
        }
    }

    private record Wait(List<String> topics, CompletableFuture<Void> done) {

        void look(ClusterImage image) {
            for (String name : topics) {
                TopicState topic = image.topic(name).orElse(null);
                if (topic != null && !isOpen(topic, image)) {
                    return;
                }
            }
            done.complete(null);
        }

        private static boolean isOpen(TopicState topic, ClusterImage image) {
            for (long streamId : topic.streams()) {
                StreamState stream = image.stream(streamId).orElse(null);
                NodeState owner =
                        stream == null ? null : image.node(stream.ownerNodeId()).orElse(null);
                if (stream != null && owner != null && !owner.fenced() && stream.ownerNodeEpoch() < owner.epoch()) {
                    return false;
                }
            }
            return true;
        }

        /** By identity: two who wait for the same topics are two. */
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }
}
