package io.catchment.broker.producerid;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.apache.kafka.common.errors.CoordinatorLoadInProgressException;
import org.jspecify.annotations.Nullable;

/**
 * Hands out producer ids from blocks that the control plane allocated to this node. Guarded by its own lock, which is never held
 * while calling out.
 *
 * <p>An id is never handed out twice, in this process or any other: a block belongs to the process that asked for it, what is left
 * of it at a stop is lost. The next block is fetched when a tenth of the present one is left, so that a request seldom waits.
 */
public final class ProducerIds {
    private static final int WAITING_MAX = 10_000;

    private final ControlPlane controlPlane;
    private final int nodeId;
    private final LongSupplier nodeEpoch;

    private final ArrayDeque<CompletableFuture<Long>> waiting = new ArrayDeque<>();
    private Block present = Block.EMPTY;
    private Block next = Block.EMPTY;
    private boolean fetching;

    /** @param nodeEpoch of this node's present registration */
    public ProducerIds(ControlPlane controlPlane, int nodeId, LongSupplier nodeEpoch) {
        this.controlPlane = controlPlane;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
    }

    /** A new id; fails with the retriable COORDINATOR_LOAD_IN_PROGRESS when no block could be had. */
    public CompletionStage<Long> next() {
        CompletableFuture<Long> answer = new CompletableFuture<>();
        boolean fetch;
        Long id;
        synchronized (this) {
            id = take();
            if (id == null && waiting.size() < WAITING_MAX) {
                waiting.add(answer);
            } else if (id == null) {
                answer.completeExceptionally(unavailable(null));
            }
            fetch = !fetching && next.isEmpty() && present.isLow();
            fetching |= fetch;
        }
        if (id != null) {
            answer.complete(id);
        }
        if (fetch) {
            fetch();
        }
        return answer;
    }

    private @Nullable Long take() {
        if (present.isEmpty()) {
            present = next;
            next = Block.EMPTY;
        }
        if (present.isEmpty()) {
            return null;
        }
        long id = present.first;
        present = new Block(id + 1, present.end, present.size);
        return id;
    }

    private void fetch() {
        controlPlane
                .submit(new Command.AllocateProducerIds(nodeId, nodeEpoch.getAsLong()))
                .whenComplete((block, failure) -> {
                    if (failure == null) {
                        arrived(block);
                    } else {
                        failed(failure);
                    }
                });
    }

    private void arrived(Command.ProducerIdBlock block) {
        List<CompletableFuture<Long>> served = new ArrayList<>();
        List<Long> ids = new ArrayList<>();
        boolean again;
        synchronized (this) {
            next = new Block(block.firstId(), block.firstId() + block.size(), block.size());
            while (!waiting.isEmpty()) {
                Long id = take();
                if (id == null) {
                    break;
                }
                served.add(waiting.remove());
                ids.add(id);
            }
            again = !waiting.isEmpty();
            fetching = again;
        }
        for (int i = 0; i < served.size(); i++) {
            served.get(i).complete(ids.get(i));
        }
        if (again) {
            fetch();
        }
    }

    private void failed(Throwable failure) {
        List<CompletableFuture<Long>> refused;
        synchronized (this) {
            fetching = false;
            refused = List.copyOf(waiting);
            waiting.clear();
        }
        refused.forEach(answer -> answer.completeExceptionally(unavailable(failure)));
    }

    private static CoordinatorLoadInProgressException unavailable(@Nullable Throwable cause) {
        return new CoordinatorLoadInProgressException("No producer ids could be allocated, retry.", cause);
    }

    /** @param first the next id to hand out */
    private record Block(long first, long end, int size) {
        static final Block EMPTY = new Block(0, 0, 0);

        boolean isEmpty() {
            return first == end;
        }

        boolean isLow() {
            return (end - first) * 10 <= size;
        }
    }
}
