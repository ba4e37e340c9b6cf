package io.catchment.objectstore.cache;

import io.netty.util.ReferenceCounted;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Several counted references that come one by one, awaited as one. */
final class Gathered {
    private Gathered() {}

    /** All values in order, or the first failure after every part is done, with what did arrive released. */
    static <T extends ReferenceCounted> CompletableFuture<List<T>> all(List<CompletableFuture<T>> parts) {
        CompletableFuture<List<T>> result = new CompletableFuture<>();
        CompletableFuture<?> unused = CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                .whenComplete((nothing, failure) -> {
                    if (failure == null) {
                        result.complete(
                                parts.stream().map(CompletableFuture::join).toList());
                        return;
                    }
                    for (CompletableFuture<T> part : parts) {
                        if (!part.isCompletedExceptionally()) {
                            part.join().release();
                        }
                    }
                    result.completeExceptionally(failure.getCause() == null ? failure : failure.getCause());
                });
        return result;
    }
}
