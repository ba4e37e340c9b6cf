package io.catchment.broker.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.StoreRef;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HolderRequestTest {
    private static final StoreRef FIRST = new StoreRef(1, "one");
    private static final StoreRef SECOND = new StoreRef(2, "two");

    /** Netty tells want of direct memory by an error. */
    @Test
    void aHolderThatThereIsNoMemoryToAskIsPassedOver() throws Exception {
        HolderOrder order = new HolderOrder(new StoreRef(3, "three"), System::nanoTime);
        HolderRequest.Answer<String> answer = new HolderRequest<>(
                        "a test",
                        List.of(FIRST, SECOND),
                        order,
                        1_000,
                        holder -> {
                            if (holder.equals(FIRST)) {
                                throw new OutOfMemoryError("direct");
                            }
                            return CompletableFuture.completedFuture("found");
                        },
                        value -> true,
                        value -> {})
                .ask()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        assertThat(answer).isEqualTo(new HolderRequest.Answer<>(SECOND, "found"));
    }
}
