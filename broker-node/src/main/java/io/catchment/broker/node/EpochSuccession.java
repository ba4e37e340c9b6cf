package io.catchment.broker.node;

import io.catchment.broker.loop.Backoff;
import io.catchment.controlplane.CommandException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One epoch after the other: when one is over it is ended and the next is begun. Beginning and ending belong to a thread of its own; whichever
 * epoch there is can be asked for by any.
 *
 * <p>No failure leaves the node without an epoch for good. What may pass (controllers that are silent, a disk that fails) is tried again with
 * pauses that grow, however often. What looks like a mistake in this program is tried again a few times: it may have met a
 * state that passes. After that, and after an {@link Error} at once, this process cannot be trusted to serve again, so it is to end: whoever
 * watches over it starts another, which finds what was acknowledged on disk.
 */
final class EpochSuccession<E extends EpochSuccession.Epoch> implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(EpochSuccession.class);
    private static final long PAUSE_FIRST_MS = 500;
    private static final long PAUSE_MAX_MS = 10_000;
    /** One that is over sooner is followed by a pause, as if it had failed: two processes under one name take it from each other. */
    private static final long LASTING_MS = 5_000;

    private static final long CLOSE_TIMEOUT_MS = 60_000;
    static final int MISTAKES_MAX = 10;

    private final Source<E> source;
    private final Consumer<String> hindrance;
    private final Consumer<Throwable> fatal;
    private final Pause pause;
    private final LongSupplier nanoTime;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
        Thread daemon = new Thread(task, "node-epochs");
        daemon.setDaemon(true);
        return daemon;
    });
    private volatile @Nullable E present;
    private volatile boolean closed;
    // Of the thread
    private final Backoff backoff;
    /** In any epoch so far. */
    private boolean registered;

    private int mistakes;
    private long begunNanos;

    /** An epoch, for the thread that begins and ends it. */
    interface Epoch {
        /** -1 before it is registered. */
        long epoch();

        /** Blocks until it serves. */
        void begin() throws Exception;

        /** From any thread: it is to be ended soon, and nothing waits for it any more. */
        void leave();

        void close();
    }

    /** Makes epochs. */
    @FunctionalInterface
    interface Source<E> {
        /**
         * @param again this process had an epoch before
         * @param over hears, once and on any thread, that this epoch has ended without having been closed
         */
        E next(boolean again, Consumer<E> over);
    }

    /** A wait that the end of this process need not wait for. */
    @FunctionalInterface
    interface Pause {
        void await(long ms) throws InterruptedException;
    }

    /**
     * @param hindrance hears why there is no epoch, for people
     * @param fatal hears why this process has to end; it is not expected to return
     */
    EpochSuccession(
            Source<E> source,
            Consumer<String> hindrance,
            Consumer<Throwable> fatal,
            Pause pause,
            LongSupplier nanoTime,
            RandomGenerator random) {
        this.source = source;
        this.hindrance = hindrance;
        this.fatal = fatal;
        this.pause = pause;
        this.nanoTime = nanoTime;
        this.backoff = new Backoff(PAUSE_FIRST_MS, PAUSE_MAX_MS, random);
    }

    /** The last one that was to begin. */
    @Nullable
    E present() {
        return present;
    }

    /** Begins the first; blocks until it serves. What fails it, but for silent controllers, is thrown: this process has not served yet. */
    void begin() throws Exception {
        try {
            thread.submit(() -> {
                        while (!closed && !tryBegin()) {
                            pause.await(backoff.failedMs());
                        }
                        return true;
                    })
                    .get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** False when it is to be tried again. */
    private boolean tryBegin() throws Exception {
        E epoch = source.next(registered, this::over);
        present = epoch;
        if (closed) {
            // Nobody else has seen it yet
            epoch.leave();
        }
        boolean begun = false;
        try {
            epoch.begin();
            begun = true;
            begunNanos = nanoTime.getAsLong();
            mistakes = 0;
            return true;
        } catch (EpochOverException e) {
            log.warn("{}; the next one begins", e.getMessage());
            return false;
        } catch (CommandException e) {
            log.warn("The controllers do not answer yet: {}", e.getMessage());
            hindrance.accept("the controllers do not answer: " + e.getMessage());
            return false;
        } finally {
            registered |= epoch.epoch() >= 0;
            if (!begun) {
                epoch.close();
            }
        }
    }

    private void over(E epoch) {
        try {
            thread.execute(() -> {
                if (present == epoch && !closed) {
                    follow(epoch);
                }
            });
        } catch (RejectedExecutionException ended) {
            log.debug("No further epoch: this node ends");
        }
    }

    private void follow(E over) {
        try {
            over.close();
            long lastedMs = TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - begunNanos);
            if (lastedMs < LASTING_MS) {
                pause.await(backoff.failedMs());
            } else {
                backoff.succeeded();
            }
            while (!closed && !tryNext()) {
                pause.await(backoff.failedMs());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Throwable e) {
            fatal.accept(new IllegalStateException(
                    "epoch " + over.epoch() + " of this node is over and none follows: " + e, e));
        }
    }

    /** This process lives on: its disk and its memory are sound, only its rights are gone. */
    private boolean tryNext() throws InterruptedException, SupersededException {
        try {
            if (tryBegin()) {
                E begun = present;
                log.info("Serving again, in epoch {}", begun == null ? -1 : begun.epoch());
                return true;
            }
            return false;
        } catch (InterruptedException | SupersededException e) {
            throw e;
        } catch (RuntimeException e) {
            if (++mistakes >= MISTAKES_MAX) {
                throw e;
            }
            triedAgain(e);
        } catch (Exception e) {
            triedAgain(e);
        }
        return false;
    }

    private void triedAgain(Exception e) {
        log.error("A new epoch could not begin and is tried again: {}", e.getMessage(), e);
        hindrance.accept("a new epoch cannot begin: " + e);
    }

    @Override
    public void close() {
        closed = true;
        E epoch = present;
        if (epoch == null) {
            thread.shutdownNow();
        } else if (!thread.isShutdown()) {
            end(epoch);
        }
    }

    private void end(E epoch) {
        epoch.leave();
        Future<?> closing = thread.submit(() -> {
            E last = present;
            if (last != null) {
                last.close();
            }
        });
        thread.shutdown();
        try {
            closing.get(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            log.warn("The node's last epoch did not end as it should: {}", String.valueOf(e.getCause()));
        } catch (TimeoutException e) {
            log.warn("The node's last epoch did not end within {} ms", CLOSE_TIMEOUT_MS);
        }
    }
}
