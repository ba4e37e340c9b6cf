package io.catchment.wal.process;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.MemoryRegistry;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Appends until it is killed, and prints each acknowledgement once it has it: {@code A stream offset} and, for sealed
 * extents, {@code S extent length}. Arguments: directory, first extent id, first offset of all streams.
 */
public final class DoomedAppender {
    static final int STREAMS = 20;

    private DoomedAppender() {}

    static int payloadBytes(long stream, long offset) {
        return (int) (50 + (stream * 7919 + offset * 104_729) % (offset % 50 == 0 ? 20_000 : 600));
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        MemoryRegistry registry = new MemoryRegistry(KillTest.NODE, Long.parseLong(args[1]));
        CompletableFuture<LocalWal> opened = new CompletableFuture<>();
        LocalWal wal = LocalWal.open(
                WalConfig.defaults(Path.of(args[0]))
                        .withExtentBytes(1 << 20)
                        .withReserveBytes(0)
                        .withQueueBytesMax(1 << 20),
                KillTest.NODE,
                registry,
                new Printer(opened));
        registry.register(wal.storeId());
        opened.complete(wal);
        for (long offset = Long.parseLong(args[2]); ; offset++) {
            for (long stream = 0; stream < STREAMS; stream++) {
                append(wal, stream, offset);
            }
        }
    }

    private static void append(LocalWal wal, long stream, long offset) throws InterruptedException {
        ByteBuf payload = Frames.payload(stream, offset, payloadBytes(stream, offset));
        Frame frame = new Frame(FrameKind.DATA, stream, 1, offset, 1, 0, payload);
        Lane lane = stream % 3 == 0 ? Lane.URGENT : Lane.NORMAL;
        while (wal.append(lane, frame, null) != Admission.ACCEPTED) {
            Thread.sleep(1);
        }
    }

    private static final class Printer implements WalListener {
        private final CompletableFuture<LocalWal> wal;
        private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);

        Printer(CompletableFuture<LocalWal> wal) {
            this.wal = wal;
        }

        @Override
        public void acknowledged(Lane lane, List<Acknowledged> group) {
            StringBuilder lines = new StringBuilder();
            for (Acknowledged one : group) {
                lines.append("A ")
                        .append(one.frame().streamId())
                        .append(' ')
                        .append(one.frame().baseOffset())
                        .append('\n');
            }
            print(lines);
        }

        private synchronized void print(CharSequence lines) {
            out.print(lines);
            out.flush();
        }

        @Override
        public void rollDue(Lane lane, long extentId) {
            wal.join().roll(lane, extentId);
        }

        @Override
        public void sealed(Lane lane, long extentId, long length) {
            print("S " + extentId + " " + length + "\n");
        }

        @Override
        public void laneState(Lane lane, boolean accepting, String reason) {
            print("L " + lane + " " + accepting + " " + reason + "\n");
        }
    }
}
