package io.catchment.chaos.nodes;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What the members of one process say: each record they got, and each that they were told is done with. A line is in the file before the member goes
 * on, so a killed process leaves all it knew, but for its last word.
 */
final class ShareJournal {
    enum Kind {
        DELIVERED,
        /** The member is about to acknowledge it. */
        ACCEPTED,
        /** The member was told that its acknowledgement holds. */
        DONE
    }

    /** @param atMs for a delivery when it was asked for, for the others when it was so */
    record Line(Kind kind, int partition, long offset, int deliveryCount, long atMs) {
        String text() {
            return kind + " " + partition + " " + offset + " " + deliveryCount + " " + atMs + "\n";
        }

        static Line parse(String text) {
            String[] parts = text.split(" ", -1);
            return new Line(
                    Kind.valueOf(parts[0]),
                    Integer.parseInt(parts[1]),
                    Long.parseLong(parts[2]),
                    Integer.parseInt(parts[3]),
                    Long.parseLong(parts[4]));
        }
    }

    private ShareJournal() {}

    /** Used by all members of a process; guarded by its monitor. */
    static final class Writer {
        private final FileChannel file;

        Writer(Path path) throws IOException {
            this.file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }

        synchronized void write(List<Line> lines) {
            StringBuilder text = new StringBuilder();
            lines.forEach(line -> text.append(line.text()));
            ByteBuffer bytes = StandardCharsets.UTF_8.encode(text.toString());
            try {
                while (bytes.hasRemaining()) {
                    file.write(bytes);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Follows a journal. Used by one thread. */
    static final class Reader {
        private final Path path;
        private long position;

        Reader(Path path) {
            this.path = path;
        }

        /** Whole lines that are new. */
        List<Line> next() throws IOException {
            List<Line> lines = new ArrayList<>();
            if (!Files.exists(path)) {
                return lines;
            }
            try (var file = new RandomAccessFile(path.toFile(), "r")) {
                byte[] bytes = new byte[(int) (file.length() - position)];
                file.seek(position);
                file.readFully(bytes);
                String text = new String(bytes, StandardCharsets.UTF_8);
                int end = text.lastIndexOf('\n') + 1;
                position += end;
                text.substring(0, end).lines().map(Line::parse).forEach(lines::add);
            }
            return lines;
        }
    }
}
