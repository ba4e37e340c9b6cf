package io.catchment.broker.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReadGateTest {
    private final ReadGate gate = new ReadGate(1);
    private final List<Integer> begun = new ArrayList<>();

    /** As when a disk hangs: what is asked of it fails at once. */
    @Test
    void anyNumberThatEndsAtOnceLeavesInOrder() {
        int many = 20_000;
        gate.enter(() -> true);
        for (int i = 0; i < many; i++) {
            int number = i;
            gate.enter(() -> {
                begun.add(number);
                gate.leave();
                return true;
            });
        }
        assertThat(begun).isEmpty();
        gate.leave();
        assertThat(begun).isEqualTo(IntStream.range(0, many).boxed().toList());
    }

    @Test
    void aPlaceThatIsNotNeededGoesToTheNext() {
        gate.enter(() -> true);
        gate.enter(() -> {
            begun.add(1);
            return false;
        });
        gate.enter(() -> {
            begun.add(2);
            return true;
        });
        gate.enter(() -> {
            begun.add(3);
            return true;
        });
        gate.leave();
        assertThat(begun).containsExactly(1, 2);
        gate.leave();
        assertThat(begun).containsExactly(1, 2, 3);
    }
}
