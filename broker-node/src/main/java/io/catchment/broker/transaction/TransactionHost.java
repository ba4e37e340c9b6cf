package io.catchment.broker.transaction;

import io.catchment.broker.coordinatorlog.DaemonThreads;
import io.catchment.broker.coordinatorlog.StateLoad;
import io.catchment.broker.coordinatorlog.Tenure;
import io.catchment.broker.coordinatorlog.Tenures;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.broker.read.StreamReader;
import io.catchment.controlplane.ClusterImage;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;
import org.apache.kafka.common.utils.Time;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transaction coordinator on this node: it follows which partitions of {@code __transaction_state} the node owns, loads them, and does the
 * upkeep. Calls about one partition come in order; otherwise any thread may call, and none blocks.
 */
public final class TransactionHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TransactionHost.class);
    private static final int LOAD_THREADS = 2;
    private static final long IDLE_THREAD_MS = 5_000;

    private final Parts parts;
    private final TransactionSettings settings;
    private final SerialLoop loop;
    private final TransactionPartitions partitions;
    private final TransactionCoordinator coordinator;
    private final Tenures tenures;
    private final ScheduledThreadPoolExecutor loads;
    private final Set<StateLoad> underWay = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /** What it is wired to. */
    public record Parts(
            TransactionTopic topic,
            Supplier<ClusterImage> image,
            Supplier<CompletionStage<Long>> producerIds,
            InternalLog log,
            PartitionDirectory directory,
            StreamReader reader,
            PeerRequests peers,
            String listener,
            Time time) {}

    /** @param loop of its own; closed by its owner */
    public TransactionHost(TransactionSettings settings, Parts parts, SerialLoop loop) {
        this.parts = parts;
        this.settings = settings;
        this.loop = loop;
        this.partitions = new TransactionPartitions(parts.topic());
        this.tenures = new Tenures(parts.directory());
        this.coordinator = new TransactionCoordinator(
                settings,
                loop,
                parts.producerIds(),
                partitions,
                new MarkerDelivery(parts.image(), parts.peers(), parts.listener(), loop));
        this.loads = new ScheduledThreadPoolExecutor(LOAD_THREADS, DaemonThreads.named("transaction-state-load"));
        loads.setKeepAliveTime(IDLE_THREAD_MS, TimeUnit.MILLISECONDS);
        loads.allowCoreThreadTimeOut(true);
    }

    public TransactionCoordinator coordinator() {
        return coordinator;
    }

    public void start() {
        every(settings.abortCheckMs(), coordinator::abortTimedOut);
        every(settings.expiryCheckMs(), coordinator::forgetExpired);
    }

    private void every(long intervalMs, Runnable step) {
        loop.schedule(
                () -> {
                    if (!closed) {
                        every(intervalMs, step);
                        step.run();
                    }
                },
                intervalMs);
    }

    /** It serves: its acknowledged end is known and readable. */
    public void onPartitionOpened(int index) {
        Optional<Tenure> begun = tenures.begin(new TopicPartition(TransactionTopic.NAME, index));
        begun.ifPresent(tenure -> loop.execute(() -> load(index, tenure)));
    }

    private void load(int index, Tenure tenure) {
        LogPartition partition = new LogPartition(tenure, parts.log(), loop);
        partitions.put(index, partition);
        if (!tenure.holds()) {
            return;
        }
        TransactionReplay replay = new TransactionReplay(tenure.view().logStartOffset());
        StateLoad load = new StateLoad(tenure, replay, parts.reader(), parts.time(), loads, settings.loadBufferBytes());
        underWay.add(load);
        if (closed) {
            load.cancel(closing());
        }
        var unused = load.start()
                .whenComplete((summary, failure) -> underWay.remove(load))
                .whenComplete((summary, failure) -> loop.execute(() -> {
                    if (closed) {
                        return;
                    }
                    if (!partition.holds()) {
                        LOG.info("{} has another owner before it was loaded", tenure.topicPartition());
                    } else if (failure == null) {
                        LOG.info(
                                "Loaded {} transactional ids from {}",
                                replay.found().size(),
                                tenure.topicPartition());
                        partition.loaded(replay.found());
                        coordinator.loaded(partition);
                    } else {
                        LOG.error(
                                "{} could not be loaded: its transactions stand still",
                                tenure.topicPartition(),
                                failure);
                    }
                }));
    }

    /** Ownership was lost, given up, or the topic deleted: nothing more is written from here on. */
    public void onPartitionClosed(int index) {
        tenures.end(new TopicPartition(TransactionTopic.NAME, index));
        loop.execute(() -> {
            LogPartition partition = partitions.remove(index);
            if (partition != null) {
                partition.close();
            }
        });
    }

    @Override
    public void close() {
        closed = true;
        loads.shutdownNow();
        underWay.forEach(load -> load.cancel(closing()));
        loop.execute(partitions::end, partitions::end);
    }

    private static RuntimeException closing() {
        return new CoordinatorNotAvailableException("The coordinator is closing");
    }
}
