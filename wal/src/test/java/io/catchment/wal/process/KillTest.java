package io.catchment.wal.process;

import static io.catchment.wal.testing.WalFixture.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.MemoryRegistry;
import io.catchment.wal.testing.RecordingListener;
import io.netty.buffer.ByteBufUtil;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that appends is killed with SIGKILL; whatever it heard to be acknowledged must be there, once, byte for byte. */
final class KillTest {
    static final int NODE = 5;
    private static final int ROUNDS = 3;

    @TempDir
    Path dir;

    private final long[] acknowledged = new long[DoomedAppender.STREAMS];
    private final Map<Long, Long> sealed = new TreeMap<>();
    private long nextExtent = 1;
    private long nextOffset;

    @Test
    void whatAKilledProcessWasToldIsDurableIsThereAfterRecovery() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed + " (kill moments only)");
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < ROUNDS; round++) {
            Arrays.fill(acknowledged, nextOffset);
            sealed.clear();
            appendAndKill(2_000 + random.nextInt(20_000));
            recoverAndCheck();
        }
    }

    private void appendAndKill(int afterLines) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DoomedAppender.class.getName(),
                        dir.toString(),
                        Long.toString(nextExtent),
                        Long.toString(nextOffset))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        int lines = 0;
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                heard(line);
                if (++lines == afterLines) {
                    // Not Process.destroyForcibly: that would close the pipe with acknowledgements still in it.
                    process.toHandle().destroyForcibly();
                }
            }
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();
        assertThat(lines).isGreaterThanOrEqualTo(afterLines);
    }

    private void heard(String line) {
        String[] words = line.split(" ");
        if (line.startsWith("A ") && words.length == 3 && !words[2].isEmpty()) {
            int stream = Integer.parseInt(words[1]);
            // The last line may be cut anywhere: an offset too small claims too little, never too much.
            acknowledged[stream] = Math.max(acknowledged[stream], Long.parseLong(words[2]) + 1);
        } else if (line.startsWith("S ") && words.length == 3) {
            sealed.put(Long.parseLong(words[1]), Long.parseLong(words[2]));
        }
    }

    private void recoverAndCheck() throws Exception {
        MemoryRegistry registry = new MemoryRegistry(NODE);
        try (LocalWal wal = LocalWal.open(
                WalConfig.defaults(dir).withExtentBytes(1 << 20).withReserveBytes(0),
                NODE,
                registry,
                new RecordingListener())) {
            registry.register(wal.storeId());
            List<ExtentDescriptor> open = wal.unsettled().stream()
                    .map(id -> new ExtentDescriptor(id, NODE, 1, Lane.NORMAL, List.of(wal.localStore()), 1))
                    .toList();
            RecoveryReport report = get(wal.recover(open));
            assertThat(report.waiting()).isEmpty();
            report.sealed()
                    .forEach(one -> sealed.merge(one.extentId(), one.length(), (told, now) -> {
                        assertThat(now)
                                .as("W2: final length of extent %s", one.extentId())
                                .isEqualTo(told);
                        return now;
                    }));
            check(wal);
            for (long extent : wal.extents()) {
                nextExtent = Math.max(nextExtent, extent + 1);
                // Their files come back as the next round's extents, full of old frames.
                get(wal.delete(extent));
            }
            assertThat(wal.stats().recycledFiles()).isPositive();
        }
    }

    private void check(LocalWal wal) {
        long[] next = new long[DoomedAppender.STREAMS];
        Arrays.fill(next, nextOffset);
        for (long extent : wal.extents()) {
            try (LoadedExtent loaded = get(wal.load(extent))) {
                for (long stream : loaded.streams()) {
                    for (FrameEntry entry : loaded.frames(stream)) {
                        assertThat(entry.baseOffset())
                                .as("stream %s in extent %s", stream, extent)
                                .isEqualTo(next[(int) stream]++);
                        assertThat(ByteBufUtil.getBytes(
                                        loaded.bytes(), (int) entry.payloadPosition(), entry.payloadLength()))
                                .isEqualTo(Frames.bytes(
                                        stream,
                                        entry.baseOffset(),
                                        DoomedAppender.payloadBytes(stream, entry.baseOffset())));
                    }
                }
            }
        }
        for (int stream = 0; stream < next.length; stream++) {
            assertThat(next[stream]).as("W1: end of stream %s", stream).isGreaterThanOrEqualTo(acknowledged[stream]);
        }
        nextOffset = Arrays.stream(next).max().orElseThrow() + 1_000;
    }
}
