package io.catchment.chaos.fuzz;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Ways to break a frame. Pure. */
enum Mutation {
    /** Crazy values are enough. */
    NONE,
    BIT_FLIPS,
    /** The length says more than comes. */
    TRUNCATED,
    /** The length says anything. */
    WRONG_LENGTH,
    /** Four bytes somewhere become a count that nobody has memory for, or a negative one. */
    HUGE_COUNT,
    /** A varint that never ends. */
    ENDLESS_VARINT,
    /** A piece is there twice, or not at all, and the length is right. */
    CUT_AND_PASTE,
    /** Other API or version than the body is of. */
    WRONG_API,
    NOISE;

    private static final Mutation[] ALL = values();

    /** Of a Kafka frame: length, API key, version, … */
    static byte[] any(byte[] frame, SplittableRandom random) {
        // A third as it is
        Mutation mutation = random.nextInt(3) == 0 ? NONE : ALL[random.nextInt(ALL.length)];
        return mutation.of(frame, random);
    }

    byte[] of(byte[] frame, SplittableRandom random) {
        byte[] bytes = frame.clone();
        switch (this) {
            case NONE -> {}
            case BIT_FLIPS -> {
                int flips = 1 + random.nextInt(8);
                for (int i = 0; i < flips; i++) {
                    int at = Integer.BYTES + random.nextInt(Math.max(1, bytes.length - Integer.BYTES));
                    bytes[Math.min(at, bytes.length - 1)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case TRUNCATED -> bytes = Arrays.copyOf(bytes, Math.max(1, random.nextInt(bytes.length)));
            case WRONG_LENGTH -> putInt(bytes, 0, odd(random));
            case HUGE_COUNT -> putInt(bytes, Integer.BYTES + random.nextInt(bytes.length), odd(random));
            case ENDLESS_VARINT -> {
                int from = Integer.BYTES + random.nextInt(bytes.length);
                Arrays.fill(bytes, Math.min(from, bytes.length), Math.min(bytes.length, from + 12), (byte) 0xff);
            }
            case CUT_AND_PASTE -> bytes = cutAndPaste(bytes, random);
            case WRONG_API -> {
                if (bytes.length >= 8) {
                    ByteBuffer.wrap(bytes)
                            .putShort(4, (short) random.nextInt(-2, 100))
                            .putShort(6, (short) random.nextInt(-2, 20));
                }
            }
            case NOISE -> random.nextBytes(bytes);
        }
        return bytes;
    }

    private static int odd(SplittableRandom random) {
        return switch (random.nextInt(5)) {
            case 0 -> Integer.MAX_VALUE;
            case 1 -> -1;
            case 2 -> Integer.MIN_VALUE;
            case 3 -> 100 << 20;
            default -> random.nextInt();
        };
    }

    private static void putInt(byte[] bytes, int at, int value) {
        if (at + Integer.BYTES <= bytes.length) {
            ByteBuffer.wrap(bytes).putInt(at, value);
        }
    }

    private static byte[] cutAndPaste(byte[] bytes, SplittableRandom random) {
        int from = Math.min(bytes.length, 8 + random.nextInt(bytes.length));
        int to = from + random.nextInt(bytes.length - from + 1);
        boolean twice = random.nextBoolean();
        ByteBuffer made = ByteBuffer.allocate(bytes.length + (twice ? to - from : from - to));
        made.put(bytes, 0, twice ? to : from).put(bytes, twice ? from : to, bytes.length - (twice ? from : to));
        byte[] result = made.array();
        putInt(result, 0, result.length - Integer.BYTES);
        return result;
    }
}
