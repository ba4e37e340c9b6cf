package io.catchment.controlplane;

import java.util.Set;
import org.apache.kafka.image.MetadataDelta;

/**
 * What one step changed: ids to look up in the new image (absent there: deleted).
 *
 * @param metadata Kafka's own delta for the same step, for the group coordinator
 */
public record ImageDelta(
        boolean nodesChanged,
        Set<Long> streams,
        Set<Long> extents,
        Set<Long> objects,
        boolean topicsChanged,
        boolean configsChanged,
        MetadataDelta metadata) {

    public ImageDelta {
        streams = Set.copyOf(streams);
        extents = Set.copyOf(extents);
        objects = Set.copyOf(objects);
    }
}
