package io.catchment.chaos.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Records that follow from a seed, as varied as a client can write them. Owned by the thread that runs the scenario. */
final class Sample {
    private static final int LARGE_BYTES = 900_000;
    /** Above max.message.bytes of a topic (1,048,588), whatever the codec: random bytes. */
    private static final int TOO_LARGE_BYTES = 1_100_000;

    private final SplittableRandom random;
    private final int partitions;

    Sample(long seed, int partitions) {
        this.random = new SplittableRandom(seed);
        this.partitions = partitions;
    }

    /** Text in keys and values, one header for all; what kcat can write. */
    List<Line> plain(int count) {
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean tombstone = i % 10 == 7;
            lines.add(new Line(
                    i % partitions,
                    0,
                    i % 10 == 3 ? "-" : Line.hex("key-" + i),
                    tombstone ? "-" : Line.hex("value-" + i + "-" + random.nextLong() + "é".repeat(i % 40)),
                    List.of(new Line.Header("trace", Line.hex("t-1")))));
        }
        return lines;
    }

    /** Any bytes, keys and values that are null or empty, headers of all sorts, times of their own, and two large ones at the end. */
    List<Line> varied(int count) {
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(new Line(
                    i % partitions,
                    time(),
                    i % 7 == 3 ? "-" : i % 7 == 5 ? "." : Line.hex(bytes(1 + random.nextInt(30))),
                    i % 10 == 7 ? "-" : i % 10 == 9 ? "." : Line.hex(repetitive(random.nextInt(2000))),
                    headers(i)));
        }
        lines.add(large(LARGE_BYTES));
        lines.add(large(LARGE_BYTES));
        return lines;
    }

    /** Refused by the server. */
    Line tooLarge() {
        return large(TOO_LARGE_BYTES);
    }

    private Line large(int size) {
        return new Line(random.nextInt(partitions), time(), Line.hex("large"), Line.hex(bytes(size)), List.of());
    }

    private long time() {
        return 1_700_000_000_000L + random.nextInt(1_000_000_000);
    }

    private List<Line.Header> headers(int number) {
        return switch (number % 5) {
            case 1 -> List.of(new Line.Header("one", Line.hex("1")));
            case 2 -> List.of(new Line.Header("bytes", Line.hex(unlikeText())), new Line.Header("empty", "."));
            case 3 ->
                List.of(
                        new Line.Header("twice", Line.hex("a")),
                        new Line.Header("between", Line.hex("b")),
                        new Line.Header("twice", Line.hex("c")));
            default -> List.of();
        };
    }

    /** Bytes that are no text, without those by which kcat's output would be ambiguous. */
    private byte[] unlikeText() {
        byte[] bytes = bytes(50);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = i % 10 == 9 ? 0 : (byte) (bytes[i] | 0x80);
        }
        return bytes;
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Compresses well, yet is no text. */
    private byte[] repetitive(int count) {
        byte[] pattern = bytes(1 + random.nextInt(20));
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = pattern[i % pattern.length];
        }
        return bytes;
    }
}
