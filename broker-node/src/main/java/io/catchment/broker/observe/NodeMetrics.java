package io.catchment.broker.observe;

import io.catchment.broker.network.NetworkServer;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.LoopDelay;
import io.catchment.broker.read.ReadBudget;
import io.catchment.broker.read.ReadBudgets;
import io.catchment.controlplane.ClusterImage;
import io.catchment.objectstore.cache.ReaderStats;
import io.catchment.wal.WalStats;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/**
 * All metrics of a node, under names that begin with {@code catchment} (and {@code jvm}, {@code process}, {@code system}).
 * Thread-safe. Components get small recorders from here; what components count themselves is read when someone scrapes.
 */
public final class NodeMetrics implements AutoCloseable {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final List<Supplier<String>> others = new CopyOnWriteArrayList<>();
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final RequestMetrics requests = new RequestMetrics(registry);
    private final WalMetrics wal = new WalMetrics(registry);
    private final StoreMetrics store = new StoreMetrics(registry);
    private final TransferMetrics transfers = new TransferMetrics(registry);
    private final ArrivalMetrics arrivals = new ArrivalMetrics(registry);

    public NodeMetrics() {
        gc.bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        PooledByteBufAllocator pool = PooledByteBufAllocator.DEFAULT;
        Gauge.builder("catchment.buffers.pooled", pool, p -> p.metric().usedDirectMemory())
                .description("Direct memory that the network buffer pool has taken from the system")
                .baseUnit("bytes")
                .register(registry);
    }

    /** For meters of other components; names begin with {@code catchment}. */
    public MeterRegistry registry() {
        return registry;
    }

    /** Requests, bytes, errors and latency by API, connections by how they ended: for the {@link NetworkServer}. */
    public RequestMetrics requests() {
        return requests;
    }

    /** Append and sync latency by lane: for the WAL. */
    public WalMetrics wal() {
        return wal;
    }

    /** Requests to the object store by outcome: for the store. */
    public StoreMetrics store() {
        return store;
    }

    /** Transfers with the object store by class: for the scheduler. */
    public TransferMetrics transfers() {
        return transfers;
    }

    /** Event-time delay at arrival by topic: for the partitions. */
    public ArrivalMetrics arrivals() {
        return arrivals;
    }

    public void observeNetwork(NetworkServer server) {
        new Snapshots<>(registry, () -> server)
                .gauge("catchment.connections", "Open connections", null, NetworkServer::openConnections)
                .gauge(
                        "catchment.request.queue",
                        "Request frames in memory that wait for their answers",
                        "bytes",
                        NetworkServer::requestBytesInFlight)
                .gauge(
                        "catchment.request.memory.waiting",
                        "Connections whose next request waits for memory",
                        null,
                        NetworkServer::requestsWaitingForMemory)
                .gauge(
                        "catchment.response.unsent",
                        "Large answers that clients have not taken yet",
                        "bytes",
                        NetworkServer::responseBytesUnsent);
    }

    /** @param stats may be costly: it is asked at most about once a second */
    public void observeWal(Supplier<WalStats> stats) {
        wal.observe(stats);
    }

    public void observeBlockCache(Supplier<ReaderStats> stats) {
        new Snapshots<>(registry, stats)
                .counter("catchment.block.cache.hits", "Blocks that a read found in the cache", null, ReaderStats::hits)
                .counter(
                        "catchment.block.cache.misses", "Blocks that a read had to wait for", null, ReaderStats::misses)
                .counter("catchment.block.cache.evictions", "Blocks that had to go", null, ReaderStats::evictions)
                .counter(
                        "catchment.block.cache.loaded",
                        "Read from the object store and verified",
                        "bytes",
                        ReaderStats::loadedBytes)
                .counter(
                        "catchment.block.cache.read.ahead",
                        "Of these, what no read had asked for yet",
                        "bytes",
                        ReaderStats::readAheadBytes)
                .counter(
                        "catchment.block.corrupt",
                        "Blocks and footers whose checksum failed",
                        null,
                        ReaderStats::corruptBlocks)
                .gauge("catchment.block.cache.live", "Memory of blocks", "bytes", ReaderStats::liveBytes)
                .gauge(
                        "catchment.block.cache.queued",
                        "Block loads that wait for their turn",
                        null,
                        ReaderStats::queuedLoads);
    }

    /** What the catalog says is in the object store; each node knows it of the whole cluster. */
    public void observeCatalog(Supplier<ClusterImage> image) {
        Snapshots<CatalogFigures> figures = new Snapshots<>(registry, () -> CatalogFigures.of(image.get()));
        String objects = "catchment.catalog.objects";
        String bytes = "catchment.catalog.object";
        String what = "In the object store by the catalog, of the whole cluster; doomed: waiting to be deleted";
        figures.gauge(objects, what, null, CatalogFigures::published, "phase", "published")
                .gauge(objects, what, null, CatalogFigures::doomed, "phase", "doomed")
                .gauge(bytes, what, "bytes", CatalogFigures::publishedBytes, "phase", "published")
                .gauge(bytes, what, "bytes", CatalogFigures::doomedBytes, "phase", "doomed");
    }

    /** Memory of reads below the tail. */
    public void observeCatchUpRoom(LoopDelay room) {
        Gauge.builder("catchment.read.catch.up.loads.max", room, LoopDelay::loads)
                .description(
                        "Requests to the object store at a time for readers that catch up: fewer when event loops are late")
                .register(registry);
    }

    public void observeReadMemory(ReadBudgets budgets) {
        Map.of("tail", budgets.tail(), "catch_up", budgets.catchUp())
                .forEach((of, budget) -> new Snapshots<>(registry, () -> budget)
                        .gauge(
                                "catchment.read.memory",
                                "Memory of reads below the tail, until clients have taken the answers",
                                "bytes",
                                ReadBudget::usedBytes,
                                "class",
                                of)
                        .gauge(
                                "catchment.read.memory.waiting",
                                "Reads below the tail that wait for memory",
                                null,
                                ReadBudget::waiting,
                                "class",
                                of));
    }

    /** What each level below the tail has served. */
    public void observeReads(Supplier<LayeredStreamReader.Served> served) {
        new Snapshots<>(registry, served)
                .counter("catchment.reads", "Reads by level", null, s -> s.extentReads(), "level", "extent")
                .counter("catchment.reads", "Reads by level", null, s -> s.peerReads(), "level", "peer")
                .counter("catchment.reads", "Reads by level", null, s -> s.objectReads(), "level", "object")
                .counter("catchment.read.bytes", "Bytes by level", null, s -> s.extentBytes(), "level", "extent")
                .counter("catchment.read.bytes", "Bytes by level", null, s -> s.peerBytes(), "level", "peer")
                .counter("catchment.read.bytes", "Bytes by level", null, s -> s.objectBytes(), "level", "object");
    }

    /** @return the text that Prometheus wants, version 0.0.4 */
    public String scrape() {
        StringBuilder text = new StringBuilder(registry.scrape());
        others.forEach(other -> text.append(other.get()));
        return text.toString();
    }

    /** Lines of somebody whose meters come and go, in the same form. */
    public void alsoScrape(Supplier<String> lines) {
        others.add(lines);
    }

    @Override
    public void close() {
        gc.close();
        registry.close();
    }
}
