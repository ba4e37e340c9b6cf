package io.catchment.broker.near;

import io.catchment.broker.partition.PartitionView;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** What fetches ask about readers and zones. Asked on event loops: thread-safe and quick. */
public interface NearReads {

    /** Everybody reads from the owner (Kafka without a {@code replica.selector.class}). */
    NearReads NONE = new NearReads() {
        @Override
        public boolean enabled() {
            return false;
        }

        @Override
        public boolean isHere(String rack) {
            return false;
        }

        @Override
        public int nodeFor(PartitionView partition, String rack, String listener, String connection) {
            return NearNodes.NOBODY;
        }

        @Override
        public void heard(int nodeId) {}

        @Override
        public @Nullable PartitionView find(@Nullable String topic, Uuid topicId, int partition) {
            return null;
        }

        @Override
        public void answered(int bytes) {}
    };

    boolean enabled();

    /** Whether readers of that rack are in this node's zone. */
    boolean isHere(String rack);

    /**
     * Where a reader is to read a partition of this node; {@link NearNodes#NOBODY}: here. Who comes back within a moment has met trouble
     * there and is served here, and so are the others when the node there is silent.
     *
     * @param connection of the reader, whatever tells it from others
     */
    int nodeFor(PartitionView partition, String rack, String listener, String connection);

    /** A node asks how far streams of this one are. */
    void heard(int nodeId);

    /** A partition of an owner in another zone, by id unless that is {@link Uuid#ZERO_UUID}; null when it is not to be read here. */
    @Nullable
    PartitionView find(@Nullable String topic, Uuid topicId, int partition);

    /** So many bytes of records of other nodes' streams are answered. */
    void answered(int bytes);
}
