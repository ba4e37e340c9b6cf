package io.catchment.controlplane.state;

import io.catchment.controlplane.StreamState;
import java.util.Set;
import org.apache.kafka.common.config.ConfigResource;

/** Hears which parts of the state a record changed, while it is replayed. */
public interface ChangeListener {
    ChangeListener NONE = new ChangeListener() {};

    default void nodes() {}

    default void topics() {}

    default void configs() {}

    /** A topic goes, and these keys of its configuration with it. */
    default void configsDropped(ConfigResource resource, Set<String> keys) {}

    default void stream(long streamId) {}

    /** The stream's owner or epoch, that is: Kafka's view of the partition. Comes in addition to {@link #stream}. */
    default void partition(StreamState stream) {}

    default void extent(long extentId) {}

    default void object(long objectId) {}
}
