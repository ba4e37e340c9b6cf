package io.catchment.broker.recover;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.archive.Restoration.Restored;
import io.catchment.objectstore.ObjectKeys;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What a recovery has brought back and what it has not, for people. */
public final class RecoveryReport {
    private static final int NAMED_MAX = 10;

    private RecoveryReport() {}

    public static List<String> of(Restored restored) {
        ClusterImage image = restored.image();
        List<String> lines = new ArrayList<>();
        lines.add("Recovered %d topics with %d partitions, state as of %s (offset %d)"
                .formatted(
                        image.topics().size(),
                        image.streams().size(),
                        Instant.ofEpochMilli(restored.timestampMs()),
                        restored.offset()));
        lines.add("Found %d ranges in %d objects that were published after that"
                .formatted(restored.reattachedRanges(), restored.reattachedObjects()));
        lines.add(
                ("LOST: whatever was acknowledged and not flushed. %d partitions were open for writing; each ends now where its"
                                + " published part ends. Extents with %d bytes were sealed and not flushed as of the state")
                        .formatted(restored.openStreams(), restored.unflushedBytes()));
        if (!restored.shortened().isEmpty()) {
            lines.add("LOST for certain, %d partitions: %s"
                    .formatted(restored.shortened().size(), shortened(image, restored.shortened())));
        }
        if (!restored.unknownStreams().isEmpty()) {
            lines.add("LOST: data of %d partitions whose topics were created after the state was written"
                    .formatted(restored.unknownStreams().size()));
        }
        if (!restored.missing().isEmpty()) {
            lines.add("BROKEN: %d published objects are not in the object store: %s"
                    .formatted(restored.missing().size(), keys(restored.missing())));
        }
        if (!restored.unreadManifests().isEmpty()) {
            lines.add(
                    ("BROKEN: %d manifests cannot be read, so the offsets in them cannot either; no older object was deleted for"
                                    + " belonging to nothing: %s")
                            .formatted(restored.unreadManifests().size(), keys(restored.unreadManifests())));
        }
        return lines;
    }

    private static String keys(Set<Long> objects) {
        return objects.stream().sorted().limit(NAMED_MAX).map(ObjectKeys::key).collect(Collectors.joining(", "));
    }

    private static String shortened(ClusterImage image, Map<Long, Long> shortened) {
        String named = shortened.entrySet().stream()
                .sorted(Map.Entry.<Long, Long>comparingByValue().reversed())
                .limit(NAMED_MAX)
                .map(lost -> name(image, lost.getKey()) + " at least " + lost.getValue() + " offsets")
                .collect(Collectors.joining(", "));
        return named + (shortened.size() > NAMED_MAX ? ", …" : "");
    }

    private static String name(ClusterImage image, long streamId) {
        StreamState stream = image.stream(streamId)
                .orElseThrow(() -> new IllegalStateException("stream " + streamId + " is not in the state"));
        return stream.topic() + "-" + stream.partition();
    }
}
