package io.catchment.objectstore.transfer;

import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Thread-safe. Which transfer begins when: by class, so many at a time, within a bandwidth, each direction by itself. What may not begin yet
 * waits in the bounded queue of its class; cancelling its stage takes it out of there. What has begun is not interrupted.
 */
public final class TransferScheduler implements AutoCloseable {
    /** Runs a task later, not within the call. */
    @FunctionalInterface
    public interface Alarm {
        void in(long nanos, Runnable task);
    }

    private final int queueMax;
    private final LongSupplier nanoTime;
    private final TransferListener listener;
    private final Map<Direction, TransferChannel> channels = new EnumMap<>(Direction.class);

    /**
     * @param nanoTime monotonic
     * @param alarm wakes up what waits for bandwidth
     */
    public TransferScheduler(TransferSettings settings, LongSupplier nanoTime, Alarm alarm, TransferListener listener) {
        this.queueMax = settings.queueMax();
        this.nanoTime = nanoTime;
        this.listener = listener;
        for (Direction direction : Direction.values()) {
            long bytesPerSecond =
                    direction == Direction.UP ? settings.upBytesPerSecond() : settings.downBytesPerSecond();
            channels.put(direction, new TransferChannel(settings.places(), bytesPerSecond, queueMax, nanoTime, alarm));
        }
    }

    /**
     * The transfer's outcome, once it has begun and ended. Fails with TRANSIENT when the queue is full, with REFUSED after {@link #close}.
     *
     * @param bytes of its body
     * @param send begins it; must not block
     * @param notSent called once if it will never begin
     * @param late takes an answer for which nobody waits any more
     */
    public <T> CompletionStage<T> submit(
            TransferClass of,
            Direction direction,
            long bytes,
            Supplier<CompletionStage<T>> send,
            Runnable notSent,
            Consumer<T> late) {
        TransferChannel channel = channel(direction);
        Transfer<T> transfer = new Transfer<>(channel, of, direction, bytes, send, notSent, late);
        transfer.offer();
        return transfer.result;
    }

    /**
     * A transfer that goes on as one of a class that goes before its own, at the end of that one's queue. Nothing happens when it has begun, or that queue is full.
     *
     * @param outcome what {@link #submit} has answered
     */
    public void hasten(CompletionStage<?> outcome, TransferClass to) {
        if (outcome instanceof Outcome<?> own && own.transfer.channel.hasten(own.transfer.waiting, to)) {
            own.transfer.channel.startDue();
        }
    }

    /** What is sent again counts against the bandwidth as well. */
    public void charge(Direction direction, long bytes) {
        channel(direction).charge(bytes);
    }

    /** Transfers of the class that wait now, for metrics. */
    public int waiting(TransferClass of, Direction direction) {
        return channel(direction).waiting(of);
    }

    /** Transfers of the class under way now, for metrics. */
    public int running(TransferClass of, Direction direction) {
        return channel(direction).running(of);
    }

    /** What waits fails; what has begun ends by itself. */
    @Override
    public void close() {
        for (TransferChannel channel : channels.values()) {
            channel.close().forEach(TransferChannel.Waiting::abandon);
        }
    }

    @SuppressWarnings("NullAway") // there is one for each
    private TransferChannel channel(Direction direction) {
        return channels.get(direction);
    }

    private static final class Outcome<T> extends CompletableFuture<T> {
        private final TransferScheduler.Transfer<T> transfer;

        Outcome(TransferScheduler.Transfer<T> transfer) {
            this.transfer = transfer;
        }
    }

    private final class Transfer<T> {
        private final TransferChannel channel;
        private final Direction direction;
        private final long bytes;
        private final Supplier<CompletionStage<T>> send;
        private final Runnable notSent;
        private final Consumer<T> late;
        private final CompletableFuture<T> result = new Outcome<>(this);
        private final TransferChannel.Waiting waiting;

        Transfer(
                TransferChannel channel,
                TransferClass of,
                Direction direction,
                long bytes,
                Supplier<CompletionStage<T>> send,
                Runnable notSent,
                Consumer<T> late) {
            this.channel = channel;
            this.direction = direction;
            this.bytes = bytes;
            this.send = send;
            this.notSent = notSent;
            this.late = late;
            this.waiting = new TransferChannel.Waiting(of, bytes, nanoTime.getAsLong(), this::start, this::closed);
        }

        void offer() {
            switch (channel.offer(waiting)) {
                case QUEUED -> {
                    CompletionStage<T> outcome = result;
                    outcome.whenComplete((value, failure) -> {
                        if (result.isCancelled() && channel.remove(waiting)) {
                            notSent.run();
                        }
                    });
                    channel.startDue();
                }
                case FULL -> {
                    TransferClass of = waiting.of();
                    listener.refused(of, direction);
                    end(Reason.TRANSIENT, queueMax + " transfers of class " + of + " wait already");
                }
                case CLOSED -> closed();
            }
        }

        private void closed() {
            end(Reason.REFUSED, "the object store is closed");
        }

        private void end(Reason reason, String why) {
            notSent.run();
            result.completeExceptionally(new ObjectStoreException(reason, why, null));
        }

        private void start() {
            TransferClass of = waiting.of();
            listener.started(of, direction, nanoTime.getAsLong() - waiting.sinceNanos());
            CompletionStage<T> sent;
            try {
                sent = send.get();
            } catch (RuntimeException | OutOfMemoryError refused) {
                // Want of threads, too: thrown to whoever brought the occasion it would end all transfers of the
                // direction
                sent = CompletableFuture.failedStage(refused);
            }
            if (sent.toCompletableFuture().isCompletedExceptionally()) {
                // Not even tried: the circuit is open, or the request is wrong.
                channel.giveBack(bytes);
            }
            sent.whenComplete((value, failure) -> {
                listener.ended(of, direction, failure == null ? bytes : 0, failure == null);
                channel.ended(of);
                boolean wanted = failure == null ? result.complete(value) : result.completeExceptionally(failure);
                if (!wanted && failure == null) {
                    late.accept(value);
                }
            });
        }
    }
}
