package io.catchment.broker.coordinatorlog;

import io.catchment.broker.read.StreamReader;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.common.runtime.CoordinatorLoader;
import org.apache.kafka.coordinator.common.runtime.CoordinatorPlayback;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecordSerde;

/**
 * Loads the coordinator's state from its partitions when this node becomes their owner; partitions load side by side on few
 * threads that exist only while there is something to load. Thread-safe: owned by nobody.
 */
public final class CoordinatorStateLoader implements CoordinatorLoader<CoordinatorRecord> {
    private static final int THREADS = 2;
    private static final long IDLE_THREAD_MS = 5_000;

    private final Tenures tenures;
    private final CoordinatorRecordSerde serde;
    private final StreamReader reader;
    private final Time time;
    private final int readBytesMax;
    private final ScheduledThreadPoolExecutor threads;
    private final Set<StateLoad> underWay = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /**
     * @param name of its threads
     * @param serde of the coordinator's records; stateless
     */
    public CoordinatorStateLoader(
            String name,
            Tenures tenures,
            CoordinatorRecordSerde serde,
            StreamReader reader,
            Time time,
            int readBytesMax) {
        this.tenures = tenures;
        this.serde = serde;
        this.reader = reader;
        this.time = time;
        this.readBytesMax = readBytesMax;
        this.threads = new ScheduledThreadPoolExecutor(THREADS, DaemonThreads.named(name));
        threads.setKeepAliveTime(IDLE_THREAD_MS, TimeUnit.MILLISECONDS);
        threads.allowCoreThreadTimeOut(true);
    }

    @Override
    public CompletableFuture<LoadSummary> load(
            TopicPartition partition, CoordinatorPlayback<CoordinatorRecord> playback) {
        return tenures.begin(partition)
                .map(tenure -> load(tenure, playback))
                .orElseGet(() -> CompletableFuture.failedFuture(
                        new NotLeaderOrFollowerException(partition + " is not served by this node")));
    }

    private CompletableFuture<LoadSummary> load(Tenure tenure, CoordinatorPlayback<CoordinatorRecord> playback) {
        BatchReplay replay = new BatchReplay(
                tenure.topicPartition(), serde, playback, tenure.view().logStartOffset());
        StateLoad load = new StateLoad(tenure, replay, reader, time, threads, readBytesMax);
        underWay.add(load);
        if (closed) {
            load.cancel(closing());
        }
        return load.start().whenComplete((summary, failure) -> underWay.remove(load));
    }

    @Override
    public void close() {
        closed = true;
        threads.shutdownNow();
        underWay.forEach(load -> load.cancel(closing()));
    }

    private static RuntimeException closing() {
        return new CoordinatorNotAvailableException("The coordinator is closing");
    }
}
