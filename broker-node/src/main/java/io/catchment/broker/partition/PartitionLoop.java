package io.catchment.broker.partition;

import io.catchment.broker.batch.LogValidatorCheck;
import io.catchment.broker.batch.PlainBatchCheck;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.wal.Acknowledged;
import io.catchment.wal.Lane;
import io.catchment.wal.Wal;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Time;

/**
 * One event loop with the partitions that live on it and what they share: the tail budget, the validators, the list of
 * streams that changed since their last checkpoint. Owned by that event loop.
 */
final class PartitionLoop {
    private final EventLoop eventLoop;
    private final PartitionServices services;
    private final TailBudget tailBudget;
    private final PlainBatchCheck plainCheck = new PlainBatchCheck();
    private final LogValidatorCheck fullCheck;
    private final Set<Partition> partitions = new LinkedHashSet<>();
    private List<Partition> changed = new ArrayList<>();
    private final List<Partition> touched = new ArrayList<>();

    PartitionLoop(EventLoop eventLoop, PartitionServices services, long tailBytesMax) {
        this.eventLoop = eventLoop;
        this.services = services;
        this.tailBudget = new TailBudget(tailBytesMax);
        this.fullCheck = new LogValidatorCheck(services.time());
    }

    EventLoop eventLoop() {
        return eventLoop;
    }

    void add(Partition partition) {
        partitions.add(partition);
    }

    void remove(Partition partition, Errors error) {
        partitions.remove(partition);
        partition.close(error);
    }

    /** The node stops: no partition serves any more, and what their tails hold is released. */
    void closeAll(Errors error) {
        for (Partition partition : partitions) {
            partition.close(error);
        }
        partitions.clear();
    }

    /** One group commit's batches of this loop, in the order of the extent. */
    void acknowledged(List<Acknowledged> group) {
        for (Acknowledged entry : group) {
            if (entry.context() instanceof PendingAppend pending && pending.partition.acknowledge(pending)) {
                touched.add(pending.partition);
            }
        }
        for (Partition partition : touched) {
            partition.announce();
        }
        touched.clear();
    }

    void endWaits(Lane lane, Errors error, String reason) {
        for (Partition partition : partitions) {
            partition.endWaits(lane, error, reason);
        }
    }

    void checkpoint(Lane lane) {
        List<Partition> candidates = changed;
        changed = new ArrayList<>();
        for (Partition partition : candidates) {
            partition.checkpoint(lane);
            if (partition.owned() && partition.changedSinceCheckpoint()) {
                changed.add(partition);
            }
        }
    }

    void expireProducers() {
        long nowMs = services.time().milliseconds();
        for (Partition partition : partitions) {
            partition.expireProducers(nowMs);
        }
    }

    Collection<Partition> partitions() {
        return partitions;
    }

    void changed(Partition partition) {
        changed.add(partition);
    }

    TopicConfig config(String topic) {
        return services.configs().apply(topic);
    }

    void arrived(String topic, long delayMs) {
        services.arrivals().arrived(topic, delayMs);
    }

    ServingRight servingRight() {
        return services.right();
    }

    TransactionVerifier verifier() {
        return services.verifier();
    }

    String fault(Lane lane) {
        return services.faults().reason(lane);
    }

    Wal wal() {
        return services.wal();
    }

    Time time() {
        return services.time();
    }

    ByteBufAllocator allocator() {
        return PooledByteBufAllocator.DEFAULT;
    }

    TailBudget tailBudget() {
        return tailBudget;
    }

    PlainBatchCheck plainCheck() {
        return plainCheck;
    }

    LogValidatorCheck fullCheck() {
        return fullCheck;
    }
}
