package io.catchment.chaos.fuzz;

import java.util.List;
import java.util.SplittableRandom;
import org.apache.kafka.common.Uuid;

/**
 * Values that requests are made of: some that exist, so that requests get deep, and some that break things. Immutable. The names and ids of what
 * the clients that behave use are not among them: a valid request to delete their topic would be obeyed, and rightly.
 *
 * @param names of topics, groups and ids that exist, or could
 * @param ids of topics that exist
 */
record Words(List<String> names, List<Uuid> ids) {
    private static final List<String> ODD = List.of(
            "",
            ".",
            "..",
            "\u0000",
            "a b",
            "\ud83d\ude80\ud83d\ude80",
            "__consumer_offsets",
            "__transaction_state",
            "x".repeat(249),
            "x".repeat(250),
            "../../etc/passwd",
            "[0-9",
            "*",
            "%s%n",
            "y".repeat(20_000));
    private static final long[] NUMBERS = {
        0,
        1,
        -1,
        2,
        3,
        7,
        100,
        1 << 16,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Long.MAX_VALUE - 1,
        1L << 40
    };

    Words {
        names = List.copyOf(names);
        ids = List.copyOf(ids);
    }

    String name(SplittableRandom random) {
        return random.nextInt(4) > 0 ? pick(names, random) : pick(ODD, random);
    }

    Uuid id(SplittableRandom random) {
        return random.nextInt(3) > 0 ? pick(ids, random) : new Uuid(random.nextLong(), random.nextLong());
    }

    long number(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> NUMBERS[random.nextInt(NUMBERS.length)];
            case 1 -> random.nextLong();
            default -> random.nextInt(8);
        };
    }

    byte[] bytes(SplittableRandom random) {
        byte[] bytes = new byte[random.nextInt(8) == 0 ? random.nextInt(100_000) : random.nextInt(64)];
        random.nextBytes(bytes);
        return bytes;
    }

    static <T> T pick(List<T> of, SplittableRandom random) {
        return of.get(random.nextInt(of.size()));
    }
}
