package io.catchment.controlplane.image;

import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.StateBuilder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataProvenance;

/**
 * From one image to the next: whole batches in, a new image and what changed out. Owned by one thread, used once.
 *
 * <p>Kafka's partition records are made here and are not in the log: a partition is a stream, and one truth cannot contradict
 * itself. Leader and only replica is the owner; the partition epoch goes with the leader epoch.
 */
public final class ImageStep {
    private final StateImage base;
    private final Changes changes;
    private final StateBuilder state;
    private final boolean fromSnapshot;
    private long offset;
    private int logEpoch;
    private long logTimestampMs;
    private int records;

    private ImageStep(StateImage base, ClusterState start, boolean fromSnapshot) {
        this.base = base;
        this.fromSnapshot = fromSnapshot;
        changes = new Changes(
                new MetadataDelta.Builder().setImage(base.metadata()).build());
        state = new StateBuilder(start, changes);
        offset = base.offset();
        logEpoch = base.logEpoch();
        logTimestampMs = base.logTimestampMs();
    }

    /** The next batches after the image. */
    public static ImageStep after(StateImage base) {
        return new ImageStep(base, base.state(), false);
    }

    /** A whole new state in the place of the image's. */
    public static ImageStep instead(StateImage base) {
        ImageStep step = new ImageStep(base, ClusterState.EMPTY, true);
        step.changes.everythingOf(base.state());
        return step;
    }

    public void replay(LogBatch batch) {
        for (LogRecord record : batch.records()) {
            replay(record);
        }
        at(batch.lastOffset(), batch.epoch(), batch.timestampMs());
    }

    /** For a snapshot's records, which have no offsets of their own; {@link #at} says where they lead. */
    public void replay(LogRecord record) {
        state.replay(record);
        if (record instanceof LogRecord.Kafka kafka) {
            changes.metadata.replay(kafka.message().message());
            changes.any = true;
        }
        records++;
    }

    public void at(long newOffset, int newLogEpoch, long newLogTimestampMs) {
        offset = newOffset;
        logEpoch = newLogEpoch;
        logTimestampMs = newLogTimestampMs;
    }

    public int records() {
        return records;
    }

    public Result finish() {
        if (fromSnapshot) {
            changes.metadata.finishSnapshot();
        }
        ClusterState newState = state.build();
        StateImage image = new StateImage(
                base.clusterId(),
                offset,
                logEpoch,
                logTimestampMs,
                base.controllerId(),
                newState,
                changes.metadata.apply(new MetadataProvenance(offset, logEpoch, logTimestampMs, true)));
        return new Result(image, changes.delta(), changes.any || fromSnapshot);
    }

    /** @param changed false when the records were of no interest to readers of the image */
    public record Result(StateImage image, ImageDelta delta, boolean changed) {}

    private static PartitionRecord partitionRecord(StreamState stream) {
        int owner = stream.ownerNodeId();
        List<Integer> replicas = owner == ClusterState.NO_OWNER ? List.of() : List.of(owner);
        return new PartitionRecord()
                .setTopicId(stream.topicId())
                .setPartitionId(stream.partition())
                .setReplicas(replicas)
                .setIsr(replicas)
                .setLeader(owner)
                .setLeaderEpoch(stream.epoch())
                .setPartitionEpoch(stream.epoch())
                .setDirectories(
                        replicas.stream().map(replica -> DirectoryId.UNASSIGNED).toList());
    }

    private static final class Changes implements ChangeListener {
        private final MetadataDelta metadata;
        private final Set<Long> streams = new HashSet<>();
        private final Set<Long> extents = new HashSet<>();
        private final Set<Long> objects = new HashSet<>();
        private boolean nodes;
        private boolean topics;
        private boolean configs;
        private boolean any;

        Changes(MetadataDelta metadata) {
            this.metadata = metadata;
        }

        void everythingOf(ClusterState old) {
            streams.addAll(old.streams().keySet());
            extents.addAll(old.extents().keySet());
            objects.addAll(old.objects().keySet());
            nodes = true;
            topics = true;
            configs = true;
        }

        ImageDelta delta() {
            return new ImageDelta(nodes, streams, extents, objects, topics, configs, metadata);
        }

        @Override
        public void nodes() {
            nodes = true;
            any = true;
        }

        @Override
        public void topics() {
            topics = true;
            any = true;
        }

        @Override
        public void configs() {
            configs = true;
            any = true;
        }

        /** Kafka's delta forgets only what was in its base image, not what the same delta brought: so each key by name. */
        @Override
        public void configsDropped(ConfigResource resource, Set<String> keys) {
            for (String key : keys) {
                metadata.replay(new ConfigRecord()
                        .setResourceType(resource.type().id())
                        .setResourceName(resource.name())
                        .setName(key)
                        .setValue(null));
            }
        }

        @Override
        public void stream(long streamId) {
            streams.add(streamId);
            any = true;
        }

        @Override
        public void partition(StreamState stream) {
            metadata.replay(partitionRecord(stream));
        }

        @Override
        public void extent(long extentId) {
            extents.add(extentId);
            any = true;
        }

        @Override
        public void object(long objectId) {
            objects.add(objectId);
            any = true;
        }
    }
}
