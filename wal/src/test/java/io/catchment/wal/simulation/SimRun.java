package io.catchment.wal.simulation;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.WalListener;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.node.WalEnvironment;
import io.catchment.wal.simulation.SimDisk.Weather;
import io.catchment.wal.simulation.StreamModel.Entry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * One whole history of a node from one seed: appends on several streams and lanes, faults, crashes at any disk operation,
 * restarts with recovery, flush and deletion of sealed extents; what must hold is checked at each step. The run is the
 * node's user as well: it does what a broker does at start, at roll, and for the flush.
 */
final class SimRun {
    private static final int NODE = 1;
    /** A crash leaves buffers behind: that is no leak. */
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(false, true);

    private static final List<Weather> WEATHERS = List.of(Weather.values());
    private static final long PATIENCE_MS = 600_000;

    /** What is broken on purpose, to see that the checks notice. */
    enum Mutation {
        NONE,
        ACKNOWLEDGE_BEFORE_SYNC,
        SKIP_CHECKSUMS,
        REAPPEND_BEFORE_SEAL,
        DELETE_BEFORE_PUBLISH
    }

    private final Mutation mutation;
    private final SplittableRandom random;
    private final SimScheduler scheduler;
    private final SimDisk disk;
    private final SimRegistry registry;
    private final WalConfig config;
    private final List<StreamModel> streams = new ArrayList<>();
    private SimScheduler.Life life;
    private @Nullable LocalWal wal;
    private boolean serving;
    private @Nullable AssertionError violation;

    SimRun(long seed, Mutation mutation) {
        this.mutation = mutation;
        this.random = new SplittableRandom(seed);
        this.scheduler = new SimScheduler(random.split());
        this.disk = new SimDisk(random.split());
        this.registry = new SimRegistry(NODE, scheduler, random.split());
        this.life = scheduler.new Life();
        this.config = WalConfig.defaults(Path.of("simulated"))
                .withExtentBytes(32 << 10)
                .withReserveBytes(0)
                .withIndexBytesMax(random.nextInt(60_000))
                .withQueueBytesMax(20_000 + random.nextInt(200_000))
                .withRoll(100 + random.nextInt(4_000), 20 + random.nextInt(200));
        int count = 1 + random.nextInt(6);
        int lanes = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            streams.add(new StreamModel(100 + i, Lane.of(random.nextInt(lanes))));
        }
        if (mutation == Mutation.ACKNOWLEDGE_BEFORE_SYNC) {
            disk.lieAboutSyncs();
        }
        if (mutation == Mutation.REAPPEND_BEFORE_SEAL) {
            registry.answerSealsEarly();
        }
    }

    /** Throws {@link AssertionError} when something that must hold does not. */
    void run() {
        int lives = 2 + random.nextInt(4);
        for (int i = 0; i < lives; i++) {
            oneLife(false);
        }
        oneLife(true);
    }

    private void oneLife(boolean last) {
        try {
            if (!last && random.nextInt(3) == 0) {
                disk.crashAfter(1 + random.nextInt(60));
            }
            boot();
            if (!last && random.nextBoolean()) {
                disk.crashAfter(1 + random.nextInt(400));
            }
            work(20 + random.nextInt(150));
            if (last || random.nextInt(4) == 0) {
                calm();
                waitUntil("everything accepted is acknowledged", this::allKept);
            }
            if (last || random.nextInt(4) == 0) {
                await(running().shutdown(1 + random.nextInt(3_000)));
            }
        } catch (SimCrash now) {
            // The rest of this life does not happen.
        }
        serving = false;
        life.end();
        disk.crash(mutation == Mutation.ACKNOWLEDGE_BEFORE_SYNC || random.nextInt(3) > 0);
        if (last) {
            calm();
            boot();
            life.end();
        }
    }

    private void calm() {
        disk.weather(Weather.FINE);
        disk.capacity(Long.MAX_VALUE);
        registry.unreachable(false);
    }

    private LocalWal running() {
        LocalWal now = wal;
        if (now == null) {
            throw new IllegalStateException("the WAL is not open");
        }
        return now;
    }

    // ---- start: open, settle, recover, check

    private void boot() {
        for (int attempt = 0; !opened(); attempt++) {
            if (attempt == 100) {
                throw new AssertionError("the disk is fine, but the WAL does not open");
            }
            advance(20);
            calm();
        }
        scheduler.afterMs(2_000 * random.nextDouble(), () -> registry.unreachable(false));
        for (int attempt = 0; !settled(); attempt++) {
            if (attempt == 100) {
                throw new AssertionError("the disk is fine, but extents stay without a final length");
            }
            advance(50);
            calm();
        }
        calm();
        checkRecovered();
        serving = true;
    }

    private boolean opened() {
        life = scheduler.new Life();
        LateRegistry late = new LateRegistry();
        Supplier<Checksum> checksums = mutation == Mutation.SKIP_CHECKSUMS ? NoChecksum::new : CRC32C::new;
        try {
            LocalWal opened = LocalWal.open(
                    config,
                    NODE,
                    new WalEnvironment(
                            disk,
                            life,
                            checksums,
                            ALLOCATOR,
                            random.split(),
                            () -> new UUID(random.nextLong(), random.nextLong())),
                    late,
                    new Listener(life));
            late.client = registry.register(List.of(opened.localStore()), 1);
            wal = opened;
            return true;
        } catch (IOException failed) {
            return false;
        }
    }

    /** What a broker does before it serves: every local extent gets its final length or goes. False if the disk failed. */
    private boolean settled() {
        LocalWal now = running();
        for (long extent : now.extents()) {
            SimRegistry.Extent known = registry.extents.get(extent);
            if (known == null || known.state == SimRegistry.State.PUBLISHED) {
                quietly(now.delete(extent));
            } else if (known.state == SimRegistry.State.SEALED && !quietly(now.settle(extent, known.length))) {
                return false;
            }
        }
        RecoveryReport report = await(now.recover(registry.open()));
        for (RecoveryReport.Waiting waiting : report.waiting()) {
            if (waiting.reason().contains("CorruptExtentException")) {
                throw new AssertionError(
                        "W6: nothing was damaged, but extent " + waiting.extentId() + " waits: " + waiting.reason());
            }
        }
        return report.waiting().isEmpty();
    }

    /** False if it failed with an IOException that is no corruption: none was injected. */
    private boolean quietly(CompletionStage<?> stage) {
        Throwable failure = failureOf(stage);
        if (failure instanceof CorruptExtentException) {
            throw new AssertionError("nothing was damaged, but: " + failure.getMessage(), failure);
        }
        return failure == null;
    }

    private void checkRecovered() {
        if (!running().unsettled().isEmpty()) {
            throw new AssertionError("extents without a final length after recovery: "
                    + running().unsettled());
        }
        Map<Long, SortedMap<Long, Long>> found = new TreeMap<>();
        streams.forEach(stream -> found.put(stream.id, new TreeMap<>(stream.published)));
        for (SimRegistry.Extent extent : registry.extents.values()) {
            if (extent.state == SimRegistry.State.SEALED && extent.length > 0) {
                LoadedExtent loaded = loaded(extent.descriptor.extentId());
                if (loaded.bytes().readableBytes() != extent.length) {
                    throw new AssertionError("W2: extent " + extent.descriptor.extentId() + " has another length here");
                }
                streams.forEach(stream -> collect(loaded, stream, found));
                loaded.close();
            }
        }
        streams.forEach(stream -> stream.recovered(found.getOrDefault(stream.id, new TreeMap<>())));
        registry.extents.values().stream()
                .filter(extent -> extent.state == SimRegistry.State.SEALED)
                .forEach(extent -> flushLater(extent.descriptor.extentId()));
    }

    private LoadedExtent loaded(long extentId) {
        try {
            return await(running().load(extentId));
        } catch (CompletionException lost) {
            throw new AssertionError("W1: sealed extent " + extentId + " is not to be had: " + lost.getMessage(), lost);
        }
    }

    private static void collect(LoadedExtent loaded, StreamModel stream, Map<Long, SortedMap<Long, Long>> found) {
        for (FrameEntry entry : loaded.frames(stream.id)) {
            if (entry.kind() == FrameKind.DATA) {
                Entry known = stream.matching(payload(loaded, entry), entry.baseOffset());
                Long twice = found.getOrDefault(stream.id, new TreeMap<>()).put(entry.baseOffset(), known.nonce);
                if (twice != null) {
                    throw new AssertionError(
                            "stream " + stream.id + ": offset " + entry.baseOffset() + " is there twice");
                }
            }
        }
    }

    private static ByteBuf payload(LoadedExtent loaded, FrameEntry entry) {
        return loaded.bytes().slice((int) entry.payloadPosition(), entry.payloadLength());
    }

    // ---- work: appends, reads, faults

    private void work(int actions) {
        for (int i = 0; i < actions; i++) {
            int dice = random.nextInt(100);
            if (dice < 75) {
                append(streams.get(random.nextInt(streams.size())));
            } else if (dice < 85) {
                read(streams.get(random.nextInt(streams.size())));
            } else if (dice < 93) {
                changeWeather();
            } else if (dice < 96) {
                registry.unreachable(random.nextBoolean());
            } else {
                rollSomething();
            }
            if (random.nextInt(3) == 0) {
                advance(random.nextInt(20) == 0 ? 2_000 * random.nextDouble() : 10 * random.nextDouble());
            }
        }
    }

    private void changeWeather() {
        if (random.nextInt(3) > 0) {
            disk.weather(Weather.FINE);
        } else {
            disk.weather(WEATHERS.get(random.nextInt(WEATHERS.size())));
        }
        disk.capacity(random.nextInt(3) == 0 ? 50_000 + random.nextInt(300_000) : Long.MAX_VALUE);
    }

    private void append(StreamModel stream) {
        Entry entry = stream.propose(random);
        Frame frame = stream.frame(entry);
        Admission admission = running().append(stream.lane, frame, entry);
        if (admission == Admission.ACCEPTED) {
            stream.accepted(entry);
        } else {
            frame.payload().release();
        }
    }

    private void rollSomething() {
        List<Long> extents = running().extents();
        if (!extents.isEmpty()) {
            running().roll(Lane.of(random.nextInt(3)), extents.get(random.nextInt(extents.size())));
        }
    }

    private void read(StreamModel stream) {
        List<Long> extents = running().extents();
        if (extents.isEmpty() || stream.nextOffset == 0) {
            return;
        }
        long extent = extents.get(random.nextInt(extents.size()));
        long from = random.nextLong(stream.nextOffset);
        Watch checked = new Watch(life);
        running().read(extent, stream.id, from, random.nextInt(20_000)).whenComplete((read, failure) -> {
            if (read != null) {
                checked.run(() -> checkRead(stream, from, read));
                read.payload().release();
            } else if (failure instanceof CorruptExtentException) {
                checked.run(() -> {
                    throw new AssertionError("nothing was damaged, but: " + failure.getMessage(), failure);
                });
            }
        });
    }

    /** P3 and W6: a reader sees acknowledged frames only, as they were written. */
    private static void checkRead(StreamModel stream, long from, FrameRead read) {
        ByteBuf payload = read.payload().duplicate();
        long at = read.baseOffset();
        while (payload.isReadable()) {
            int bytes = payload.getInt(payload.readerIndex() + StreamModel.PAYLOAD_HEADER_BYTES - 4);
            Entry entry = stream.matching(payload.readSlice(bytes), at);
            if (!entry.kept) {
                throw new AssertionError(
                        "P3: stream " + stream.id + ": offset " + at + " was read before it was acknowledged");
            }
            at += entry.records;
        }
        if (at != read.endOffset() || (read.endOffset() > read.baseOffset() && read.endOffset() <= from)) {
            throw new AssertionError("stream " + stream.id + ": a read from " + from + " said " + read.baseOffset()
                    + ".." + read.endOffset() + " and had up to " + at);
        }
    }

    /** Runs checks only while the life they belong to lasts. */
    private final class Watch {
        private final SimScheduler.Life of;

        Watch(SimScheduler.Life of) {
            this.of = of;
        }

        /** What a check throws is kept: on its way it may pass through a stage, which would swallow it. */
        void run(Runnable check) {
            if (of.isOver()) {
                return;
            }
            try {
                check.run();
            } catch (AssertionError broken) {
                violation = violation == null ? broken : violation;
            }
        }
    }

    private void step(String waitingFor) {
        boolean stepped = scheduler.step();
        if (violation != null) {
            throw violation;
        }
        if (!stepped) {
            throw new AssertionError("nothing happens any more, in vain: " + waitingFor + "; "
                    + running().stats());
        }
    }

    // ---- flush: load, publish, delete

    private void flushLater(long extentId) {
        Watch owner = new Watch(life);
        scheduler.afterMs(500 * random.nextDouble(), () -> owner.run(() -> flush(owner, extentId)));
    }

    private void flush(Watch owner, long extentId) {
        SimRegistry.Extent extent = registry.extents.get(extentId);
        if (extent == null || extent.state != SimRegistry.State.SEALED) {
            return;
        }
        running().load(extentId).whenComplete((loaded, failure) -> {
            if (loaded != null) {
                owner.run(() -> uploaded(owner, extentId, loaded));
            } else if (failure instanceof CorruptExtentException) {
                owner.run(() -> {
                    throw new AssertionError("nothing was damaged, but: " + failure.getMessage(), failure);
                });
            } else {
                owner.run(() -> flushLater(extentId));
            }
        });
    }

    private void uploaded(Watch owner, long extentId, LoadedExtent loaded) {
        if (mutation == Mutation.DELETE_BEFORE_PUBLISH) {
            deleteLater(owner, extentId);
        }
        scheduler.afterMs(
                100 * random.nextDouble(),
                () -> owner.run(() -> {
                    registry.publish(extentId);
                    Map<Long, SortedMap<Long, Long>> published = new TreeMap<>();
                    streams.forEach(stream -> published.put(stream.id, stream.published));
                    streams.forEach(stream -> collect(loaded, stream, published));
                    loaded.close();
                    deleteLater(owner, extentId);
                }));
    }

    /** W5: only what is published. */
    private void deleteLater(Watch owner, long extentId) {
        scheduler.afterMs(
                50 * random.nextDouble(), () -> owner.run(() -> running().delete(extentId)));
    }

    // ---- what the WAL tells

    private final class Listener implements WalListener {
        private final SimScheduler.Life mine;

        Listener(SimScheduler.Life mine) {
            this.mine = mine;
        }

        @Override
        public void acknowledged(Lane lane, List<Acknowledged> group) {
            requireAlive();
            for (Acknowledged one : group) {
                if (one.frame().kind() == FrameKind.DATA) {
                    stream(one.frame().streamId()).acknowledged(one.frame());
                }
            }
        }

        @Override
        public void rollDue(Lane lane, long extentId) {
            requireAlive();
            if (serving && random.nextInt(4) > 0) {
                streams.stream().filter(stream -> stream.lane == lane).forEach(this::checkpoint);
                running().roll(lane, extentId);
            }
        }

        private void checkpoint(StreamModel stream) {
            ByteBuf state = Unpooled.wrappedBuffer(new byte[40]);
            Frame frame = new Frame(FrameKind.CHECKPOINT, stream.id, 1, stream.nextOffset, 0, 0, state);
            if (running().append(stream.lane, frame, null) != Admission.ACCEPTED) {
                state.release();
            }
        }

        @Override
        public void sealed(Lane lane, long extentId, long length) {
            requireAlive();
            if (registry.sealedLength(extentId).orElse(-1) != length && mutation != Mutation.REAPPEND_BEFORE_SEAL) {
                throw new AssertionError("W2: extent " + extentId + " announced as sealed at " + length);
            }
            flushLater(extentId);
        }

        @Override
        public void laneState(Lane lane, boolean accepting, String reason) {
            if (accepting != reason.isEmpty()) {
                throw new AssertionError("lane state " + accepting + " with reason '" + reason + "'");
            }
        }

        private void requireAlive() {
            if (mine.isOver()) {
                throw new AssertionError("a dead process spoke");
            }
        }
    }

    private StreamModel stream(long id) {
        return streams.get((int) (id - 100));
    }

    // ---- time

    private boolean allKept() {
        return streams.stream().allMatch(StreamModel::allKept);
    }

    private void advance(double ms) {
        boolean[] reached = new boolean[1];
        scheduler.afterMs(ms, () -> reached[0] = true);
        while (!reached[0]) {
            step("time");
        }
    }

    private void waitUntil(String what, Supplier<Boolean> condition) {
        long deadline = scheduler.nowNanos() + PATIENCE_MS * 1_000_000;
        while (!condition.get()) {
            if (scheduler.nowNanos() > deadline) {
                throw new AssertionError("in vain: " + what + "; " + running().stats());
            }
            step(what);
        }
    }

    private <T> T await(CompletionStage<T> stage) {
        waitUntil("an answer", () -> stage.toCompletableFuture().isDone());
        return stage.toCompletableFuture().join();
    }

    private @Nullable Throwable failureOf(CompletionStage<?> stage) {
        List<Throwable> failures = new ArrayList<>();
        stage.whenComplete((value, failure) -> {
            if (failure != null) {
                failures.add(failure);
            }
        });
        waitUntil("an answer", () -> stage.toCompletableFuture().isDone());
        return failures.isEmpty() ? null : failures.get(0);
    }
}
