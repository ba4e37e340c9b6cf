package io.catchment.wal.simulation;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.Authority;
import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.StoreRef;
import io.catchment.wal.WalListener;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.node.WalEnvironment;
import io.catchment.wal.node.WalPeers;
import io.catchment.wal.recovery.LengthRule;
import io.catchment.wal.remote.RemoteConfig;
import io.catchment.wal.simulation.ClusterStream.Entry;
import io.catchment.wal.simulation.ClusterStream.Ownership;
import io.catchment.wal.simulation.SimControl.Extent;
import io.catchment.wal.simulation.SimControl.State;
import io.catchment.wal.simulation.SimDisk.Weather;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One whole history of a cluster from one seed: appends by owners and by zombies that think they are, crashes and wiped
 * disks, partitions of one or both directions, slow and failing disks, stopped processes, clocks that run apart, recoverers
 * that die. The run is the brokers and their controllers as well: it fences, has extents recovered, repaired, flushed and
 * deleted, and hands streams over. W1 to W6 are checked where they could break.
 */
final class ClusterRun {
    /** A crash leaves buffers behind: that is no leak. */
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(false, true);

    private static final long PATIENCE_MS = 300_000;

    /** What is broken on purpose, to see that the checks notice. */
    enum Mutation {
        NONE,
        ACKNOWLEDGE_AT_ONE_LESS,
        FORGET_FENCES,
        SHORTEST_PREFIX,
        ASK_ONE_STORE_ONLY
    }

    private final Mutation mutation;
    private final SplittableRandom random;
    private final SimScheduler scheduler;
    private final SimNetwork network;
    private final SimControl control;
    private final List<ClusterNode> nodes = new ArrayList<>();
    private final List<ClusterStream> streams = new ArrayList<>();
    private final WalConfig config;
    /** What happened how often: a history in which nothing happens proves nothing. */
    final Map<String, Integer> seen = new TreeMap<>();

    private boolean calm;
    private @Nullable AssertionError violation;

    ClusterRun(long seed, Mutation mutation) {
        this.mutation = mutation;
        this.random = new SplittableRandom(seed);
        this.scheduler = new SimScheduler(random.split());
        this.network = new SimNetwork(scheduler, random.split());
        int[][] shapes = {{3, 3, 2}, {3, 3, 2}, {4, 3, 2}, {5, 3, 2}, {4, 2, 2}, {5, 5, 3}, {3, 3, 3}, {4, 4, 3}};
        int[] shape = mutation == Mutation.NONE ? shapes[random.nextInt(shapes.length)] : shapes[0];
        int told = mutation == Mutation.ACKNOWLEDGE_AT_ONE_LESS ? shape[2] - 1 : shape[2];
        int holdersMin = mutation == Mutation.ASK_ONE_STORE_ONLY ? 1 : told;
        this.control = new SimControl(scheduler, random.split(), shape[1], shape[2], told, holdersMin);
        for (int i = 1; i <= shape[0]; i++) {
            ClusterNode node = new ClusterNode(i, random.split(), scheduler);
            nodes.add(node);
        }
        int lanes = 1 + random.nextInt(2);
        int count = 2 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            streams.add(new ClusterStream(100 + i, Lane.of(random.nextInt(lanes))));
        }
        this.config = WalConfig.defaults(Path.of("simulated"))
                .withExtentBytes(32 << 10)
                .withReserveBytes(0)
                .withIndexBytesMax(random.nextInt(60_000))
                .withRoll(500 + random.nextInt(4_000), 20 + random.nextInt(200));
        control.storesChanged = () -> nodes.forEach(this::tellStores);
        if (mutation == Mutation.FORGET_FENCES || random.nextInt(10) == 0) {
            control.created = this::haunt;
        }
    }

    /** Throws {@link AssertionError} when something that must hold does not. */
    void run() {
        nodes.forEach(this::boot);
        duties();
        advance(100);
        int actions = 60 + random.nextInt(160);
        for (int i = 0; i < actions; i++) {
            act();
            if (random.nextInt(3) == 0) {
                advance(random.nextInt(15) == 0 ? 3_000 * random.nextDouble() : 15 * random.nextDouble());
            }
        }
        calmDown();
        waitUntil("everything accepted by an owner is acknowledged", this::settledDown);
        if (mutation == Mutation.NONE) {
            checkThatOneLeavesUnnoticed();
        }
        checkFinally();
        nodes.forEach(node -> node.life.end());
    }

    private void saw(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    // ---- faults and work

    private void act() {
        int dice = random.nextInt(103);
        ClusterNode node = nodes.get(random.nextInt(nodes.size()));
        if (dice < 66) {
            append(streams.get(random.nextInt(streams.size())));
        } else if (dice < 74) {
            read(streams.get(random.nextInt(streams.size())));
        } else if (dice < 78) {
            partition();
        } else if (dice < 81) {
            network.heal();
        } else if (dice < 84) {
            crash(node, random.nextBoolean());
        } else if (dice < 86) {
            node.disk.crashAfter(1 + random.nextInt(40));
        } else if (dice < 88) {
            wipe(node);
        } else if (dice < 90) {
            node.life.pauseMs(random.nextDouble() * (random.nextInt(3) == 0 ? 9_000 : 1_500));
        } else if (dice < 92) {
            node.life.diskSlowness(random.nextBoolean() ? 1 : 20 + random.nextInt(400));
        } else if (dice < 94) {
            node.disk.weather(random.nextBoolean() ? Weather.FINE : Weather.values()[random.nextInt(4)]);
        } else if (dice < 95) {
            control.unreachable(node.id, random.nextBoolean());
        } else if (dice < 98) {
            fence(node);
            if (random.nextInt(2) == 0) {
                nodes.forEach(this::stumble);
            }
        } else if (dice < 99) {
            drain(node, !control.isDraining(node.id));
        } else if (dice < 101) {
            leave(node);
        } else {
            List<Long> extents = node.up() ? running(node).extents() : List.of();
            if (!extents.isEmpty()) {
                running(node).roll(Lane.of(random.nextInt(2)), extents.get(random.nextInt(extents.size())));
            }
        }
    }

    private void partition() {
        int from = 1 + random.nextInt(nodes.size());
        int to = 1 + random.nextInt(nodes.size());
        switch (random.nextInt(3)) {
            case 0 -> network.cut(from, to);
            case 1 -> {
                network.cut(from, to);
                network.cut(to, from);
            }
            default -> isolate(from);
        }
        scheduler.afterMs(5_000 * random.nextDouble(), network::heal);
    }

    private void isolate(int node) {
        for (ClusterNode other : nodes) {
            network.cut(node, other.id);
            network.cut(other.id, node);
        }
    }

    /**
     * A writer is cut off just when an extent was created for it, buried at once, and comes back while its
     * first messages still wait for a connection; meanwhile the replicas restarted. Only a fence on disk stops it then.
     */
    private void haunt(int writer) {
        if (calm || haunted || random.nextInt(3) > 0) {
            return;
        }
        haunted = true;
        isolate(writer);
        fence(nodes.get(writer - 1));
        scheduler.afterMs(20, this::recoverOrphans);
        scheduler.afterMs(350, () -> {
            for (ClusterNode node : nodes) {
                if (node.id != writer && node.up()) {
                    crash(node, true, 20);
                }
            }
        });
        scheduler.afterMs(500 + random.nextInt(300), network::heal);
        scheduler.afterMs(3_000, () -> haunted = false);
    }

    private boolean haunted;

    /**
     * A sync fails, of a tail that is copied here perhaps; the process is started anew and finds the bytes in the page cache;
     * later the power goes.
     */
    private void stumble(ClusterNode node) {
        node.disk.failSync(random.nextInt(4), () -> {
            saw("sync failed");
            scheduler.afterMs(30 * random.nextDouble(), () -> crash(node, false, 30 * random.nextDouble()));
            scheduler.afterMs(300 + 3_000 * random.nextDouble(), () -> crash(node, true));
        });
    }

    private void crash(ClusterNode node, boolean powerLoss) {
        crash(node, powerLoss, random.nextInt(3) == 0 ? 6_000 * random.nextDouble() : 300 * random.nextDouble());
    }

    private void crash(ClusterNode node, boolean powerLoss, double bootAfterMs) {
        if (!node.up()) {
            return;
        }
        node.life.end();
        node.disk.crash(powerLoss);
        network.crashed(node.id);
        scheduler.afterMs(bootAfterMs, () -> boot(node));
    }

    /** As many disks may be lost as the design promises to survive: no extent may lose its last promise. */
    private void wipe(ClusterNode node) {
        StoreRef store = node.store();
        if (store == null || lost.stream().anyMatch(control::placesOn)) {
            return;
        }
        for (Extent extent : control.extents.values()) {
            boolean member = extent.descriptor.ensemble().contains(store) || extent.holders.contains(store);
            if (extent.state != State.PUBLISHED && member && lostStores(extent) + 1 > spare(extent)) {
                return;
            }
        }
        saw("disk wiped");
        lost.add(store);
        crash(node, true);
        node.wipe();
        node.disk.weather(Weather.FINE);
    }

    private final List<StoreRef> lost = new ArrayList<>();

    private int lostStores(Extent extent) {
        List<StoreRef> stores = extent.decided() ? List.copyOf(extent.holders) : extent.descriptor.ensemble();
        return (int) stores.stream().filter(lost::contains).count();
    }

    private int spare(Extent extent) {
        return extent.decided()
                ? extent.holders.size() - 1
                : Math.min(
                        extent.descriptor.ensemble().size() - control.ackQuorum(),
                        // A later seal may name only A holders.
                        control.ackQuorum() - 1);
    }

    private void fence(ClusterNode node) {
        if (control.live(node.id)) {
            control.fence(node.id);
            // It finds out some time: then it starts again.
            scheduler.afterMs(500 + 8_000 * random.nextDouble(), () -> {
                if (!control.live(node.id)) {
                    crash(node, random.nextBoolean());
                }
            });
        }
    }

    private void drain(ClusterNode node, boolean now) {
        if (control.live(node.id)) {
            saw(now ? "drained" : "drain cancelled");
            control.drain(node.id, now);
        }
    }

    /** An orderly end: the store leaves the ensembles of others first, which is not waited for for ever, then the node says goodbye. */
    private void leave(ClusterNode node) {
        if (node.up() && control.live(node.id)) {
            drain(node, true);
            leave(node, node.life, 40);
        }
    }

    private void leave(ClusterNode node, SimScheduler.Life life, int looks) {
        scheduler.afterMs(50, () -> {
            if (life.isOver() || !control.live(node.id)) {
                saw("crashed or fenced while it was drained");
            } else if (looks == 0 || control.openElsewhere(node.id).isEmpty()) {
                saw(looks == 0 ? "did not wait longer to leave" : "left");
                control.fence(node.id);
                crash(node, false);
            } else if (control.isDraining(node.id)) {
                leave(node, life, looks - 1);
            }
        });
    }

    private void append(ClusterStream stream) {
        Ownership owner = random.nextInt(4) == 0 && !zombies.isEmpty()
                ? zombies.get(random.nextInt(zombies.size()))
                : stream.owner;
        if (owner != null && !owner.life.isOver()) {
            append(owner);
        }
    }

    private void append(Ownership owner) {
        ClusterNode node = nodes.get(owner.node - 1);
        Entry entry = owner.propose(random);
        Frame frame = owner.stream().frame(entry);
        if (running(node).append(owner.stream().lane, frame, entry) == Admission.ACCEPTED) {
            owner.accepted(entry);
            saw(owner == owner.stream().owner ? "appended" : "appended by a zombie");
        } else {
            frame.payload().release();
        }
    }

    /** Owners that were taken over while their process lives. */
    private final List<Ownership> zombies = new ArrayList<>();

    private LocalWal running(ClusterNode node) {
        LocalWal now = node.wal;
        if (now == null) {
            throw new IllegalStateException("node " + node.id + " is down");
        }
        return now;
    }

    /** P3: a reader, here or over the wire, sees what is acknowledged or sealed, as it was written. */
    private void read(ClusterStream stream) {
        ClusterNode reader = nodes.get(random.nextInt(nodes.size()));
        List<Extent> extents = List.copyOf(control.extents.values());
        if (!reader.up() || extents.isEmpty()) {
            return;
        }
        Extent extent = extents.get(extents.size() - 1 - random.nextInt(Math.min(4, extents.size())));
        List<StoreRef> ensemble = extent.descriptor.ensemble();
        StoreRef holder = ensemble.get(random.nextInt(ensemble.size()));
        long from = stream.published.isEmpty() ? 0 : stream.published.lastKey() + random.nextInt(10);
        SimScheduler.Life life = reader.life;
        CompletionStage<FrameRead> reading = random.nextBoolean()
                ? running(reader).read(extent.descriptor.extentId(), stream.id, from, 9_000)
                : holder.nodeId() == reader.id
                        ? running(reader).read(extent.descriptor.extentId(), stream.id, from, 9_000)
                        : running(reader).peers().read(holder, extent.descriptor.extentId(), stream.id, from, 9_000);
        reading.whenComplete((read, failure) -> {
            if (read != null) {
                check(life, () -> checkRead(stream, extent, read));
                saw(read.endOffset() > read.baseOffset() ? "read" : "read nothing");
                read.payload().release();
            } else if (failure instanceof CorruptExtentException) {
                check(life, () -> {
                    throw new AssertionError("nothing was damaged, but: " + failure.getMessage(), failure);
                });
            }
        });
    }

    private static void checkRead(ClusterStream stream, Extent extent, FrameRead read) {
        ByteBuf payload = read.payload().duplicate();
        long at = read.baseOffset();
        while (payload.isReadable()) {
            int bytes = payload.getInt(payload.readerIndex() + ClusterStream.HEADER_BYTES - 4);
            Entry entry = stream.matching(payload.readSlice(bytes), at);
            if (!entry.acknowledged && !extent.decided()) {
                throw new AssertionError("P3: stream " + stream.id + ": offset " + at
                        + " was read before it was acknowledged, in extent " + extent.descriptor);
            }
            at += entry.records;
        }
    }

    // ---- start of a node

    private void boot(ClusterNode node) {
        if (node.up()) {
            return;
        }
        SimScheduler.Life life = scheduler.new Life();
        life.clock(0.95 + random.nextDouble() / 10, random.nextLong(1L << 40));
        node.life = life;
        LateRegistry late = new LateRegistry();
        LengthRule rule =
                mutation == Mutation.SHORTEST_PREFIX ? answers -> answers.min().orElse(0) : LengthRule.LONGEST;
        if (mutation == Mutation.FORGET_FENCES) {
            node.disk.forgetFences();
        }
        try {
            LocalWal opened = LocalWal.open(
                    config,
                    node.id,
                    new WalEnvironment(
                            node.disk,
                            life,
                            CRC32C::new,
                            ALLOCATOR,
                            random.split(),
                            () -> new UUID(random.nextLong(), random.nextLong()),
                            rule),
                    late,
                    new Listener(life),
                    Optional.of(new WalPeers(RemoteConfig.defaults("simulated"), network.of(node.id, life))));
            network.listen(node.id, life, opened::accept);
            node.wal = opened;
            node.client = null;
            node.heard.clear();
            register(node, life, late);
        } catch (IOException | SimCrash failed) {
            life.end();
            node.disk.crash(false);
            node.disk.weather(Weather.FINE);
            scheduler.afterMs(100, () -> boot(node));
        }
    }

    /** Registers as soon as the control plane is to be reached; until then the node is a replica only. */
    private void register(ClusterNode node, SimScheduler.Life life, LateRegistry late) {
        scheduler.afterMs(
                300 * random.nextDouble(),
                () -> life.run(() -> {
                    SimControl.Client client = control.register(running(node).localStore());
                    late.client = client;
                    node.client = client;
                }));
    }

    /** The control plane's news come a little later; to a node that does not reach it, once it does. */
    private void tellStores(ClusterNode node) {
        SimScheduler.Life life = node.life;
        scheduler.afterMs(50 * random.nextDouble(), () -> hearOfStores(node, life));
    }

    private void hearOfStores(ClusterNode node, SimScheduler.Life life) {
        life.run(() -> {
            if (!control.reaches(node.id)) {
                scheduler.afterMs(200, () -> hearOfStores(node, life));
                return;
            }
            Map<StoreRef, Long> takers = control.takers();
            Set<StoreRef> fresh = new HashSet<>();
            takers.forEach((store, epoch) -> {
                if (!epoch.equals(node.heard.put(store, epoch))) {
                    fresh.add(store);
                }
            });
            Set<StoreRef> leaving = control.leaving();
            leaving.removeIf(store -> store.nodeId() == node.id);
            running(node).storesChanged(Math.min(control.replicas(), takers.size()), fresh, leaving);
        });
    }

    // ---- what brokers and controllers do

    private void duties() {
        recoverOrphans();
        for (ClusterNode node : nodes) {
            if (node.up() && node.client != null && random.nextInt(3) > 0) {
                reconcile(node);
            }
        }
        if (calm || random.nextInt(3) == 0) {
            flushSomething();
        }
        if (random.nextInt(3) == 0) {
            repairSomething();
        }
        takeOver();
        scheduler.afterMs(100 + 300 * random.nextDouble(), this::duties);
    }

    private @Nullable ClusterNode someLive() {
        List<ClusterNode> live = nodes.stream()
                .filter(node -> node.up() && node.client != null && control.current(node.id, node.client.epoch))
                .toList();
        return live.isEmpty() ? null : live.get(random.nextInt(live.size()));
    }

    private void recoverOrphans() {
        for (Extent extent : control.orphans()) {
            extent.recoverers.removeIf(SimScheduler.Life::isOver);
            ClusterNode recoverer = someLive();
            boolean another = extent.recoverers.isEmpty() || random.nextInt(20) == 0;
            if (recoverer == null || !another || extent.recoverers.contains(recoverer.life)) {
                continue;
            }
            SimScheduler.Life life = recoverer.life;
            extent.recoverers.add(life);
            ExtentDescriptor named =
                    mutation == Mutation.ASK_ONE_STORE_ONLY ? withOneStore(extent.descriptor) : extent.descriptor;
            running(recoverer).recover(List.of(named)).whenComplete((report, failure) -> {
                extent.recoverers.remove(life);
                extent.lastWaiting = report == null
                        ? String.valueOf(failure)
                        : report.waiting().toString();
                if (report != null) {
                    saw(report.sealed().isEmpty() ? "recovery waits" : "recovered");
                    report.sealed().forEach(one -> {
                        if (!extent.descriptor.ensemble().containsAll(one.holders())) {
                            saw("stand-in");
                        }
                    });
                    report.waiting()
                            .forEach(waiting -> check(life, () -> {
                                if (waiting.reason().contains("CorruptExtentException")) {
                                    throw new AssertionError("W6: nothing was damaged, but extent " + waiting.extentId()
                                            + " waits: " + waiting.reason());
                                }
                            }));
                }
            });
        }
    }

    private ExtentDescriptor withOneStore(ExtentDescriptor extent) {
        List<StoreRef> ensemble = extent.ensemble();
        return new ExtentDescriptor(
                extent.extentId(),
                extent.writerNodeId(),
                extent.writerEpoch(),
                extent.lane(),
                List.of(ensemble.get(random.nextInt(ensemble.size()))),
                1);
    }

    /** What a broker does with its store when it looks at the control plane. */
    private void reconcile(ClusterNode node) {
        LocalWal wal = running(node);
        StoreRef store = wal.localStore();
        SimScheduler.Life life = node.life;
        for (long id : wal.extents()) {
            Extent extent = control.extents.get(id);
            if (extent == null || extent.repairing) {
                continue;
            }
            if (extent.state == State.PUBLISHED || extent.state == State.SEALED && !extent.holders.contains(store)) {
                wal.delete(id);
            } else if (extent.state == State.SEALED) {
                wal.settle(id, extent.length).whenComplete((done, failure) -> {
                    if (failure instanceof CorruptExtentException
                            && extent.state == State.SEALED
                            && extent.holders.contains(store)) {
                        check(life, () -> {
                            throw new AssertionError("W1: holder " + store + " of sealed extent " + extent.descriptor
                                    + " does not have it: " + failure.getMessage());
                        });
                    }
                });
            }
        }
    }

    private @Nullable ClusterNode holder(Extent extent) {
        List<ClusterNode> holders = nodes.stream()
                .filter(node -> {
                    StoreRef store = node.store();
                    return store != null && extent.holders.contains(store);
                })
                .toList();
        return holders.isEmpty() ? null : holders.get(random.nextInt(holders.size()));
    }

    private void flushSomething() {
        for (Extent extent : control.extents.values()) {
            if (extent.state == State.SEALED && !extent.repairing && random.nextInt(3) == 0) {
                ClusterNode node = holder(extent);
                if (extent.length == 0) {
                    extent.state = State.PUBLISHED;
                } else if (node != null) {
                    flush(extent, node);
                }
            }
        }
    }

    private void flush(Extent extent, ClusterNode node) {
        SimScheduler.Life life = node.life;
        running(node).load(extent.descriptor.extentId()).whenComplete((loaded, failure) -> {
            if (loaded != null) {
                check(life, () -> uploaded(extent, loaded));
                loaded.close();
            } else if (failure instanceof CorruptExtentException) {
                check(life, () -> {
                    throw new AssertionError("nothing was damaged, but: " + failure.getMessage(), failure);
                });
            }
        });
    }

    private void uploaded(Extent extent, LoadedExtent loaded) {
        if (loaded.bytes().readableBytes() != extent.length) {
            throw new AssertionError("W2: extent " + extent.descriptor + " is " + extent.length + " long, a holder has "
                    + loaded.bytes().readableBytes());
        }
        if (extent.state != State.SEALED) {
            return;
        }
        for (ClusterStream stream : streams) {
            for (FrameEntry frame : loaded.frames(stream.id)) {
                if (frame.kind() == FrameKind.DATA) {
                    stream.publish(stream.matching(
                            loaded.bytes().slice((int) frame.payloadPosition(), frame.payloadLength()),
                            frame.baseOffset()));
                }
            }
        }
        for (Entry entry : extent.acknowledged.values()) {
            ClusterStream stream = entry.by.stream();
            if (!Long.valueOf(entry.nonce).equals(stream.published.get(entry.baseOffset))) {
                throw new AssertionError("W1: stream " + stream.id + ": acknowledged offset " + entry.baseOffset
                        + " is not in sealed extent " + extent.descriptor);
            }
        }
        compareHolders(extent, ByteBufUtil.getBytes(loaded.bytes(), 4096, (int) extent.length - 4096));
        extent.state = State.PUBLISHED;
        saw(extent.holders.size() < extent.descriptor.ensemble().size() ? "flushed from few holders" : "flushed");
    }

    /** W3: all holders have the same bytes. */
    private void compareHolders(Extent extent, byte[] bytes) {
        for (ClusterNode node : nodes) {
            StoreRef store = node.store();
            if (store != null && extent.holders.contains(store)) {
                SimScheduler.Life life = node.life;
                running(node).load(extent.descriptor.extentId()).whenComplete((loaded, failure) -> {
                    if (loaded != null) {
                        byte[] theirs = ByteBufUtil.getBytes(
                                loaded.bytes(), 4096, loaded.bytes().readableBytes() - 4096);
                        loaded.close();
                        check(life, () -> {
                            if (!Arrays.equals(theirs, bytes)) {
                                throw new AssertionError("W3: " + store + " has other bytes of " + extent.descriptor);
                            }
                        });
                    }
                });
            }
        }
    }

    private void repairSomething() {
        for (Extent extent : control.extents.values()) {
            ClusterNode node = someLive();
            StoreRef store = node == null ? null : node.store();
            if (node != null
                    && store != null
                    && extent.state == State.SEALED
                    && extent.length > 0
                    && !extent.repairing
                    && extent.holders.size() < 3
                    && !extent.holders.contains(store)
                    && random.nextInt(4) == 0) {
                extent.repairing = true;
                SimScheduler.Life life = node.life;
                scheduler.afterMs(20_000, () -> extent.repairing = false);
                running(node)
                        .repair(extent.descriptor, extent.length, List.copyOf(extent.holders))
                        .whenComplete((done, failure) -> {
                            extent.repairing = false;
                            if (failure == null && !life.isOver() && extent.state == State.SEALED) {
                                extent.holders.add(store);
                                saw("repaired");
                            }
                        });
            }
        }
    }

    /** A stream whose owner is over goes to another node once everything that the old one wrote is decided and published. */
    private void takeOver() {
        for (ClusterStream stream : streams) {
            Ownership old = stream.owner;
            if (old != null && control.current(old.node, old.nodeEpoch)) {
                continue;
            }
            ClusterNode node = someLive();
            SimControl.Client client = node == null ? null : node.client;
            if (node == null || client == null || !decided(old)) {
                continue;
            }
            long end = stream.end();
            saw("taken over");
            if (old != null && !old.life.isOver()) {
                zombies.add(old);
            }
            stream.owner = stream.new Ownership(node.id, client.epoch, node.life, end);
        }
        zombies.removeIf(zombie -> zombie.life.isOver());
    }

    private boolean decided(@Nullable Ownership old) {
        return old == null
                || control.extents.values().stream()
                        .noneMatch(extent -> extent.descriptor.writerNodeId() == old.node
                                && extent.descriptor.writerEpoch() <= old.nodeEpoch
                                && extent.state != State.PUBLISHED);
    }

    // ---- what the WAL tells

    private final class Listener implements WalListener {
        private final SimScheduler.Life mine;

        Listener(SimScheduler.Life mine) {
            this.mine = mine;
        }

        @Override
        public void acknowledged(Lane lane, List<Acknowledged> group) {
            check(mine, () -> {
                for (Acknowledged one : group) {
                    if (one.frame().kind() == FrameKind.DATA) {
                        acknowledged(one);
                    }
                }
            });
        }

        private void acknowledged(Acknowledged one) {
            Entry entry = streams.get((int) (one.frame().streamId() - 100)).acknowledged(mine, one);
            Extent extent = control.extents.get(one.extentId());
            if (extent == null) {
                throw new AssertionError("acknowledged in extent " + one.extentId() + ", which was never created");
            }
            long end = one.position() + 56 + entry.payload.length;
            if (extent.decided() && end > extent.length) {
                throw new AssertionError("W4: stream " + one.frame().streamId() + ": offset " + entry.baseOffset
                        + " is acknowledged at " + end + " of extent " + extent.descriptor + ", which is sealed at "
                        + extent.length);
            }
            extent.acknowledged.put(end, entry);
            saw("acknowledged");
        }

        @Override
        public void rollDue(Lane lane, long extentId) {
            if (random.nextInt(4) > 0) {
                for (ClusterNode node : nodes) {
                    if (node.life == mine) {
                        running(node).roll(lane, extentId);
                    }
                }
            }
        }

        @Override
        public void sealed(Lane lane, long extentId, long length) {
            check(mine, () -> {
                Extent extent = control.extents.get(extentId);
                if (extent == null || extent.length != length) {
                    throw new AssertionError("W2: extent " + extentId + " announced as sealed at " + length);
                }
            });
        }

        @Override
        public void laneState(Lane lane, boolean accepting, String reason) {
            saw(accepting ? "lane resumed" : "lane suspended");
            check(mine, () -> {
                if (!accepting) {
                    disturbed(mine, lane, reason);
                }
                if (accepting != reason.isEmpty()) {
                    throw new AssertionError("lane state " + accepting + " with reason '" + reason + "'");
                }
            });
        }

        @Override
        public void authority(Lane lane, Authority authority, String reason) {
            saw("authority " + authority);
            check(mine, () -> {
                if (authority != Authority.HELD) {
                    disturbed(mine, lane, authority + " " + reason);
                }
                if (authority == Authority.HELD != reason.isEmpty()) {
                    throw new AssertionError("authority " + authority + " with reason '" + reason + "'");
                }
            });
        }
    }

    // ---- the end

    private void calmDown() {
        calm = true;
        network.heal();
        control.allReachable();
        for (ClusterNode node : nodes) {
            node.disk.weather(Weather.FINE);
            node.disk.crashAfter(Long.MAX_VALUE);
            node.disk.failSync(Integer.MAX_VALUE, () -> {});
            node.life.diskSlowness(1);
        }
    }

    private boolean settledDown() {
        network.heal();
        for (ClusterNode node : nodes) {
            SimControl.Client client = node.client;
            if (node.up() && client != null && !control.current(node.id, client.epoch)) {
                // A zombie that lives on is told by now.
                crash(node, false);
            }
        }
        return control.orphans().isEmpty()
                && streams.stream().allMatch(stream -> {
                    Ownership owner = stream.owner;
                    return owner != null
                            && control.current(owner.node, owner.nodeEpoch)
                            && !owner.life.isOver()
                            && owner.allAcknowledged();
                });
    }

    /** With nothing else the matter, a node that is drained and stops costs no lane of others its quorum, and none waits for it. */
    private void checkThatOneLeavesUnnoticed() {
        // Until what the history has begun is over: pauses, starts, processes that learn that they are fenced
        advance(12_000);
        waitUntil("everything accepted by an owner is acknowledged", this::settledDown);
        nodes.forEach(node -> control.drain(node.id, false));
        ClusterNode node = someLive();
        if (node == null || control.takers().size() <= control.ackQuorum()) {
            return;
        }
        control.drain(node.id, true);
        appendByOthers(node);
        waitUntil(
                "no extent of others is open on node " + node.id + ", which is drained",
                () -> control.openElsewhere(node.id).isEmpty());
        List<Ownership> others = appendByOthers(node);
        waitUntil("the others' lanes are open", () -> others.stream().allMatch(Ownership::allAcknowledged));
        others.forEach(owner -> undisturbed.add(new LifeLane(owner.life, owner.stream().lane)));
        control.fence(node.id);
        crash(node, false, 10_000);
        appendByOthers(node);
        advance(3_000);
        if (!others.stream().allMatch(Ownership::allAcknowledged)) {
            throw new AssertionError("node " + node.id + " left, and others wait: " + state());
        }
        undisturbed.clear();
        saw("left unnoticed");
        waitUntil("everything accepted by an owner is acknowledged", this::settledDown);
    }

    /** A lane of one run of a process. */
    private record LifeLane(SimScheduler.Life life, Lane lane) {}

    /** They write, and lose no quorum now; a lane that writes for the first time may have to wait for the control plane. */
    private final Set<LifeLane> undisturbed = new HashSet<>();

    private void disturbed(SimScheduler.Life life, Lane lane, String how) {
        if (undisturbed.contains(new LifeLane(life, lane))) {
            throw new AssertionError("a node left, and the " + lane + " lane of another noticed: " + how);
        }
    }

    private List<Ownership> appendByOthers(ClusterNode node) {
        List<Ownership> others = new ArrayList<>();
        for (ClusterStream stream : streams) {
            Ownership owner = stream.owner;
            if (owner != null && owner.node != node.id && !owner.life.isOver()) {
                append(owner);
                others.add(owner);
            }
        }
        return others;
    }

    private void checkFinally() {
        for (Extent extent : List.copyOf(control.extents.values())) {
            if (extent.state == State.SEALED && extent.length > 0) {
                waitUntil("extent " + extent.descriptor + " is flushed", () -> {
                    ClusterNode again = holder(extent);
                    if (again != null && extent.state == State.SEALED) {
                        flush(extent, again);
                    }
                    return extent.state == State.PUBLISHED;
                });
            }
        }
    }

    // ---- time

    private void check(SimScheduler.Life of, Runnable check) {
        if (of.isOver()) {
            return;
        }
        try {
            check.run();
        } catch (AssertionError broken) {
            violation = violation == null ? broken : violation;
        }
    }

    private void step() {
        try {
            if (!scheduler.step()) {
                throw new AssertionError("nothing happens any more");
            }
        } catch (SimCrash now) {
            for (ClusterNode node : nodes) {
                if (node.disk == now.disk()) {
                    crash(node, random.nextBoolean());
                }
            }
        }
        if (violation != null) {
            throw violation;
        }
    }

    private void advance(double ms) {
        boolean[] reached = new boolean[1];
        scheduler.afterMs(ms, () -> reached[0] = true);
        while (!reached[0]) {
            step();
        }
    }

    private void waitUntil(String what, Supplier<Boolean> condition) {
        long deadline = scheduler.nowNanos() + PATIENCE_MS * 1_000_000;
        while (!condition.get()) {
            if (scheduler.nowNanos() > deadline) {
                throw new AssertionError("in vain: " + what + "; " + state());
            }
            // Conditions are looked at now and then: they go over everything.
            advance(50);
        }
    }

    private String state() {
        StringBuilder text = new StringBuilder();
        for (ClusterNode node : nodes) {
            text.append("node ").append(node.id).append(node.up() ? " up" : " down");
            text.append(control.live(node.id) ? " live" : " fenced");
            if (node.up()) {
                running(node).stats().lanes().forEach((lane, stats) -> text.append(' ')
                        .append(stats.accepting() ? "" : lane + " " + stats.fault())
                        .append(stats.queuedBytes()));
            }
            text.append("; ");
        }
        for (ClusterStream stream : streams) {
            Ownership owner = stream.owner;
            text.append("stream ").append(stream.id).append(' ').append(stream.lane);
            if (owner != null) {
                text.append(" of node ")
                        .append(owner.node)
                        .append(owner.life.isOver() ? " gone" : "")
                        .append(control.current(owner.node, owner.nodeEpoch) ? "" : " not current")
                        .append(owner.allAcknowledged() ? "" : " waits");
            }
            text.append("; ");
        }
        for (Extent extent : control.extents.values()) {
            if (extent.state != State.PUBLISHED) {
                text.append(extent.state)
                        .append(' ')
                        .append(extent.descriptor)
                        .append(" holders ")
                        .append(extent.holders)
                        .append("; ");
            }
        }
        control.orphans().forEach(extent -> text.append("orphan ")
                .append(extent.descriptor.extentId())
                .append(' ')
                .append(extent.lastWaiting)
                .append("; "));
        return text.toString();
    }
}
