package io.catchment.wal.recovery;

import java.util.stream.LongStream;

/** Which of the answered lengths becomes an extent's final one. A value, so that a simulation can break it on purpose. */
public interface LengthRule {
    /** DESIGN §5: every acknowledged byte is on at least one of the stores that answered. */
    LengthRule LONGEST = answers -> answers.max().orElse(0);

    long finalLength(LongStream answers);
}
