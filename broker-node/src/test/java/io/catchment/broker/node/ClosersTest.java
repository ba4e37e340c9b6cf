package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClosersTest {
    private final Closers closers = new Closers();
    private final List<String> closed = new ArrayList<>();

    private void add(String name) {
        closers.add(name, () -> closed.add(name));
    }

    @Test
    void whateverAPartThrowsTheOthersAreClosedAndAnErrorIsTold() {
        add("first");
        closers.add("broken", () -> {
            throw new NoClassDefFoundError("injected");
        });
        add("second");
        closers.add("failing", () -> {
            throw new IOException("injected");
        });
        add("third");
        assertThatThrownBy(closers::close).isInstanceOf(NoClassDefFoundError.class);
        assertThat(closed).containsExactly("third", "second", "first");
        closers.close();
        add("late");
        assertThat(closed).endsWith("first", "late");
    }

    @Test
    void anExceptionIsLoggedAndNoMore() {
        add("first");
        closers.add("failing", () -> {
            throw new IOException("injected");
        });
        closers.close();
        assertThat(closed).containsExactly("first");
    }
}
