package io.catchment.wal.bench;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import io.catchment.wal.WalStats.LaneStats;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.testing.MemoryRegistry;
import io.catchment.wal.testing.TestCluster;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;

/**
 * How fast one lane appends, with real syncs: {@code AppendBench DIR PAYLOAD_BYTES STREAMS IN_FLIGHT SECONDS [REPLICAS]}.
 * Sealed extents are deleted at once, so that files are recycled as in a node whose flush keeps up. Several replicas are
 * nodes in this same process (A is their majority), over loopback sockets and on this one disk: the CPU is that of all of them.
 */
public final class AppendBench {
    private AppendBench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Path dir = Files.createTempDirectory(Path.of(args[0]), "append-bench");
        int payloadBytes = Integer.parseInt(args[1]);
        int streams = Integer.parseInt(args[2]);
        int inFlight = Integer.parseInt(args[3]);
        double seconds = Double.parseDouble(args[4]);
        int replicas = args.length > 5 ? Integer.parseInt(args[5]) : 1;
        Acks acks = new Acks(inFlight);
        if (replicas > 1) {
            cluster(dir, replicas, acks, payloadBytes, streams, seconds);
            return;
        }
        MemoryRegistry registry = new MemoryRegistry(1);
        try (LocalWal wal = LocalWal.open(WalConfig.defaults(dir).withReserveBytes(0), 1, registry, acks)) {
            registry.register(wal.storeId());
            acks.wal.complete(wal);
            Producer producer = new Producer(wal, acks, payloadBytes, streams);
            producer.run(seconds);
            report(producer, wal, payloadBytes, seconds);
        } finally {
            try (Stream<Path> files = Files.list(dir)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(dir);
        }
    }

    private static void cluster(Path dir, int replicas, Acks acks, int payloadBytes, int streams, double seconds)
            throws IOException, InterruptedException {
        try (TestCluster cluster = new TestCluster(dir, replicas, replicas / 2 + 1, config -> config)) {
            LocalWal wal = cluster.start(1, acks).wal;
            for (int i = 2; i <= replicas; i++) {
                acks.others.add(cluster.start(i).wal);
            }
            acks.wal.complete(wal);
            Producer producer = new Producer(wal, acks, payloadBytes, streams);
            producer.run(seconds);
            report(producer, wal, payloadBytes, seconds);
        } finally {
            try (Stream<Path> files = Files.walk(dir)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static void report(Producer producer, LocalWal wal, int payloadBytes, double seconds)
            throws InterruptedException {
        long framesBefore = frames(wal);
        long cpuBefore = cpuNanos();
        long started = System.nanoTime();
        producer.run(seconds);
        double elapsed = (System.nanoTime() - started) / 1e9;
        double frames = frames(wal) - framesBefore;
        double cpuSeconds = (cpuNanos() - cpuBefore) / 1e9;
        LaneStats lane = lane(wal);
        System.out.printf(
                Locale.ROOT,
                "%d B payloads: %.0f frames/s, %.1f MB/s of payload, %.2f CPU-s/GB, %.2f CPU-us/frame, "
                        + "mean sync %.0f us, %.1f frames per sync%n",
                payloadBytes,
                frames / elapsed,
                frames * payloadBytes / elapsed / 1e6,
                cpuSeconds / (frames * payloadBytes / 1e9),
                cpuSeconds * 1e6 / frames,
                lane.syncNanosTotal() / 1e3 / lane.syncs(),
                (double) lane.appendedFrames() / lane.syncs());
    }

    private static LaneStats lane(LocalWal wal) {
        return Objects.requireNonNull(wal.stats().lanes().get(Lane.NORMAL));
    }

    private static long frames(LocalWal wal) {
        return lane(wal).appendedFrames();
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    /** Keeps a bounded number of frames in flight. Owned by the main thread. */
    private static final class Producer {
        private final LocalWal wal;
        private final Acks acks;
        private final ByteBuf payload;
        private final int streams;
        private long sent;

        Producer(LocalWal wal, Acks acks, int payloadBytes, int streams) {
            this.wal = wal;
            this.acks = acks;
            this.streams = streams;
            this.payload =
                    PooledByteBufAllocator.DEFAULT.directBuffer(payloadBytes).writeZero(payloadBytes);
        }

        void run(double seconds) throws InterruptedException {
            long end = System.nanoTime() + (long) (seconds * 1e9);
            while (System.nanoTime() < end) {
                acks.inFlight.acquire();
                Frame frame =
                        new Frame(FrameKind.DATA, sent % streams, 1, sent / streams, 1, 0, payload.retainedDuplicate());
                if (wal.append(Lane.NORMAL, frame, null) != Admission.ACCEPTED) {
                    frame.payload().release();
                    acks.inFlight.release();
                    Thread.onSpinWait();
                } else {
                    sent++;
                }
            }
        }
    }

    private static final class Acks implements WalListener {
        private final Semaphore inFlight;
        private final CompletableFuture<LocalWal> wal = new CompletableFuture<>();
        private final List<LocalWal> others = new CopyOnWriteArrayList<>();

        Acks(int inFlight) {
            this.inFlight = new Semaphore(inFlight);
        }

        @Override
        public void acknowledged(Lane lane, List<Acknowledged> group) {
            inFlight.release(group.size());
        }

        @Override
        public void rollDue(Lane lane, long extentId) {
            wal.join().roll(lane, extentId);
        }

        @Override
        public void sealed(Lane lane, long extentId, long length) {
            var unused = wal.join().delete(extentId);
            others.forEach(other -> {
                var alsoUnused = other.settle(extentId, length).thenCompose(done -> other.delete(extentId));
            });
        }

        @Override
        public void laneState(Lane lane, boolean accepting, String reason) {
            System.out.println("lane accepting " + accepting + " " + reason);
        }
    }
}
