package io.catchment.broker.node;

import io.catchment.broker.config.Listener;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.config.NodeRole;
import io.catchment.broker.network.BoundListener;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.NodeState;
import io.catchment.wal.node.LocalWal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node among the others in one epoch: it registers, keeps its lease with figures of its load, gives its streams away before it goes, and
 * says goodbye. Used by the thread that begins and ends the epoch; what tells of it can be asked by any.
 */
final class Membership {
    private static final Logger log = LoggerFactory.getLogger(Membership.class);
    private static final long GOODBYE_MS = 3_000;
    private static final long SAMPLE_MS = 1_000;
    private static final long STREAMS_MS = 5_000;
    private static final long EXTENTS_MS = 2_000;

    private final NodeParts parts;
    private final NodeConfig config;
    private final EpochEnd end;
    private final Closers closers;
    private final Work work;
    private final Registrations registrations;
    private volatile long epoch = -1;
    private volatile @Nullable LoadMeter load;

    /**
     * What keeps it busy, for those who give out more.
     *
     * @param extents that it recovers, repairs or flushes
     * @param streams how many it serves
     */
    record Work(Supplier<Set<Long>> extents, IntSupplier streams) {}

    /** @param registrations of this process so far */
    Membership(NodeParts parts, EpochEnd end, Closers closers, Work work, Registrations registrations) {
        this.registrations = registrations;
        this.parts = parts;
        this.config = parts.config();
        this.end = end;
        this.closers = closers;
        this.work = work;
    }

    /** -1 before it is registered. */
    long epoch() {
        return epoch;
    }

    /**
     * @param registered hears the epoch before the first heartbeat
     * @param lost hears why it is a member no longer
     * @throws SupersededException when another process has this node id now
     */
    void register(
            EpochControlPlane controlPlane,
            LocalWal wal,
            Optional<WalNetwork> network,
            LongConsumer registered,
            Consumer<String> lost)
            throws Exception {
        // The lease begins with the registration, the heartbeats when this node knows of it: its image must not lag by
        // then.
        end.await(controlPlane.barrier());
        Optional<NodeState> later = registrations.later(controlPlane.image(), config.nodeId());
        if (later.isPresent()) {
            throw new SupersededException(otherProcess(later.get()));
        }
        boolean drained = registrations.owesDrain(controlPlane.image(), config.nodeId());
        Command.NodeEpoch registration =
                end.await(controlPlane.submit(registration(wal.storeId(), network.map(WalNetwork::endpoint))));
        epoch = registration.epoch();
        registrations.registered(epoch);
        registered.accept(epoch);
        network.ifPresent(open -> open.watch(parts.timer(), parts.lookups()));
        LoadMeter meter = measured(wal, network);
        controlPlane.keepAlive(epoch, meter::load, ignored -> lost.accept("its lease is over"));
        log.info("Registered as node {} in epoch {}", config.nodeId(), epoch);
        if (drained) {
            end.await(controlPlane.submit(new Command.DrainNode(config.nodeId(), true)));
            registrations.drained();
        }
    }

    private static String otherProcess(NodeState node) {
        return "another process has registered as node %d, in epoch %d, at %s: each running node needs a node.id of its own; the one that was started last goes on"
                .formatted(node.nodeId(), node.epoch(), node.endpoints());
    }

    private Command.RegisterNode registration(String storeId, Optional<Endpoint> replication) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (BoundListener listener : parts.clientListeners()) {
            Listener advertised = config.listeners().advertisedFor(listener.name());
            int port = advertised.port() == 0 ? listener.port() : advertised.port();
            endpoints.add(new Endpoint(listener.name(), advertised.host(), port));
        }
        replication.ifPresent(endpoints::add);
        List<String> roles = config.roles().stream()
                .map(NodeRole::name)
                .map(name -> name.toLowerCase(Locale.ROOT))
                .toList();
        return new Command.RegisterNode(
                config.nodeId(), storeId, endpoints, config.zone(), roles, registrations.next(), true);
    }

    private LoadMeter measured(LocalWal wal, Optional<WalNetwork> network) {
        LoadMeter meter = new LoadMeter(
                wal::stats,
                config.walDirectory().toFile()::getTotalSpace,
                config.wal().replicas() > 1 ? config.wal().reserveBytes() : 0,
                System::nanoTime,
                () -> network.map(WalNetwork::unreachableMs).orElse(Map.of()),
                work.extents(),
                work.streams());
        load = meter;
        ScheduledFuture<?> sampling = parts.timer()
                .scheduleWithFixedDelay(
                        () -> parts.searches().execute(meter::sample), SAMPLE_MS, SAMPLE_MS, TimeUnit.MILLISECONDS);
        closers.add("load figures", () -> sampling.cancel(false));
        return meter;
    }

    /** Before a graceful end: others take over what they can, so that nobody waits for a lease or for the end of a connection. */
    void takeLeave() throws InterruptedException {
        LoadMeter meter = load;
        ControlPlane controlPlane = parts.controlPlane();
        Departure departure = new Departure(
                config.nodeId(), config.wal().ackQuorum(), controlPlane::image, work.streams(), end::hasCome);
        if (meter == null || !departure.isOfUse()) {
            return;
        }
        // The wish is repeated with each heartbeat, the command is quicker
        meter.drain();
        var unused = controlPlane.submit(new Command.DrainNode(config.nodeId(), true));
        departure.await(STREAMS_MS, EXTENTS_MS);
    }

    /** Its streams and extents need not wait for the end of its lease. */
    void sayGoodbye() {
        try {
            parts.controlPlane()
                    .submit(new Command.UnregisterNode(config.nodeId(), epoch))
                    .toCompletableFuture()
                    .get(GOODBYE_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            log.info("This node leaves without a goodbye: {}", e.toString());
        }
    }
}
