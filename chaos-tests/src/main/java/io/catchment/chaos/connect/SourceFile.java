package io.catchment.chaos.connect;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** A file that grows line by line; each line follows from its number. Written by a thread of its own until closed. */
final class SourceFile implements AutoCloseable {
    private final Path file;
    private final AtomicLong lines = new AtomicLong();
    private final Thread writer;
    private volatile boolean closed;
    private volatile @Nullable IOException failure;

    SourceFile(Path file, int perSecond) {
        this.file = file;
        this.writer = new Thread(() -> write(perSecond), "source-file");
        writer.start();
    }

    /** Begins and ends with a mark of its own, so that a torn one is seen. ASCII: the file source counts characters where it skips bytes. */
    static String line(long number) {
        var crc = new CRC32C();
        byte[] bytes = Long.toString(number).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        crc.update(bytes, 0, bytes.length);
        return "<%d %08x>".formatted(number, crc.getValue());
    }

    private void write(int perSecond) {
        try (BufferedWriter out = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            long began = System.nanoTime();
            while (!closed) {
                long due = (System.nanoTime() - began) * perSecond / 1_000_000_000;
                while (lines.get() < due) {
                    out.write(line(lines.getAndIncrement()) + "\n");
                }
                out.flush();
                Thread.sleep(10);
            }
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the writing; the number of lines. */
    long end() throws IOException, InterruptedException {
        closed = true;
        writer.join();
        IOException failed = failure;
        if (failed != null) {
            throw failed;
        }
        return lines.get();
    }

    @Override
    public void close() {
        closed = true;
    }
}
