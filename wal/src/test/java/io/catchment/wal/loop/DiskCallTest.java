package io.catchment.wal.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

final class DiskCallTest {

    @Test
    void wantOfMemoryIsTheCallsFailureAndNotTheLoops() throws Exception {
        var call = DiskCall.on(Runnable::run, () -> {
                    throw new OutOfMemoryError("direct");
                })
                .toCompletableFuture();
        assertThatThrownBy(call::get)
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(IOException.class)
                .hasMessageContaining("no memory");
        assertThat(DiskCall.on(Runnable::run, () -> 1).toCompletableFuture().get())
                .isEqualTo(1);
    }

    @Test
    void anUnexpectedErrorGoesToTheLoop() {
        assertThatThrownBy(() -> DiskCall.on(Runnable::run, () -> {
                    throw new AssertionError("broken");
                }))
                .isInstanceOf(AssertionError.class);
    }
}
