package io.catchment.objectstore.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.testing.ScriptedStore;
import io.catchment.objectstore.testing.ScriptedStore.Fail;
import io.catchment.objectstore.testing.ScriptedStore.Hang;
import io.catchment.objectstore.testing.ScriptedStore.Late;
import io.catchment.objectstore.testing.ScriptedStore.Throw;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RetryingStoreTest {
    private static final RetryPolicy POLICY = new RetryPolicy(200, 1 << 30, 4, 1, 4, 6, 50, 400);

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final ScriptedStore store = new ScriptedStore();
    private final Heard heard = new Heard();
    private final AtomicLong clock = new AtomicLong();

    private RetryingStore retrying(RetryPolicy policy) {
        return new RetryingStore(store, policy, timer, clock::get, new Random(1), heard);
    }

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    @Test
    void whatIsTransientIsTriedAgainAndTheBodyIsWhole() {
        store.next(unavailable(), unavailable());
        ByteBuf body = body("important");
        done(retrying(POLICY).put("k", body));
        assertThat(text(done(store.get("k", 0, 9)))).isEqualTo("important");
        assertThat(body.refCnt()).isZero();
        assertThat(heard.events).containsExactly("PUT UNAVAILABLE 1", "PUT UNAVAILABLE 2", "PUT OK 3");
    }

    /** Java tells want of threads and of direct memory by an error. */
    @Test
    void aRequestForWhichThereIsNoMemoryIsTriedAgain() {
        store.next(new Throw(new OutOfMemoryError("no thread")), new Throw(new OutOfMemoryError("no thread")));
        ByteBuf body = body("x");
        done(retrying(POLICY).put("k", body));
        assertThat(body.refCnt()).isZero();
        assertThat(heard.events).containsExactly("PUT UNAVAILABLE 1", "PUT UNAVAILABLE 2", "PUT OK 3");
    }

    @Test
    void afterTheLastAttemptTheReasonIsTold() {
        store.always(unavailable());
        ByteBuf body = body("x");
        fails(Reason.TRANSIENT, retrying(POLICY).put("k", body));
        assertThat(body.refCnt()).isZero();
        assertThat(store.requests).hasValue(4);
    }

    @Test
    void whatCannotHealIsNotTriedAgain() {
        RetryingStore retrying = retrying(POLICY);
        fails(Reason.NOT_FOUND, retrying.get("missing", 0, 1));
        store.next(new Fail(new ObjectStoreException(Reason.REFUSED, "no", null)));
        fails(Reason.REFUSED, retrying.list(""));
        assertThat(heard.events).containsExactly("GET NOT_FOUND 1", "LIST REFUSED 1");
    }

    @Test
    void refusedCredentialsAreTriedAgainBecauseTheyAreLookedUpAnew() {
        store.next(new Fail(new ObjectStoreException(Reason.CREDENTIALS, "403 ExpiredToken", null)));
        ByteBuf body = body("x");
        done(retrying(POLICY).put("k", body));
        assertThat(heard.events).containsExactly("PUT CREDENTIALS 1", "PUT OK 2");
        assertThat(body.refCnt()).isZero();
    }

    @Test
    void storeThatWantsFewerRequestsGetsThemOneByOneAtAGrowingDistance() {
        RetryPolicy patient = new RetryPolicy(10_000, 1 << 30, 4, 1, 4, 6, 50, 400);
        RetryingStore retrying = new RetryingStore(store, patient, timer, System::nanoTime, new Random(1), heard);
        store.next(slowDown(), slowDown(), slowDown());
        ByteBuf body = body("x");
        done(retrying.put("k", body));
        assertThat(heard.events).containsExactly("PUT THROTTLED 1", "PUT THROTTLED 2", "PUT THROTTLED 3", "PUT OK 4");
        long worst = Collections.max(heard.distances);
        assertThat(worst).isBetween(2 * Pace.FIRST_MS, 4 * Pace.FIRST_MS);
        // requests that begin together are sent one after the other
        long start = System.nanoTime();
        List<CompletionStage<ByteBuf>> together = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            together.add(retrying.get("k", 0, 1));
        }
        together.forEach(one -> text(done(one)));
        assertThat(System.nanoTime() - start)
                .isGreaterThan(TimeUnit.MILLISECONDS.toNanos(Pace.FIRST_MS)); // six places, and it shrinks meanwhile
    }

    @Test
    void paceIsBackToNormalAfterTheStoreTookEnough() {
        AtomicLong nanos = new AtomicLong();
        Pace pace = new Pace(new Random(3));
        long noLimit = TimeUnit.HOURS.toNanos(1);
        assertThat(pace.takeNanos(nanos.get(), noLimit)).isZero();
        for (int i = 0; i < 20; i++) {
            pace.throttled(nanos.addAndGet(TimeUnit.SECONDS.toNanos(10)));
        }
        assertThat(pace.distanceMs()).isEqualTo(Pace.MAX_MS);
        pace.throttled(nanos.get());
        assertThat(pace.distanceMs()).as("complaints about the old pace").isEqualTo(Pace.MAX_MS);
        assertThat(pace.takeNanos(nanos.get(), noLimit)).isPositive();
        for (int i = 0; i < 5; i++) {
            pace.takeNanos(nanos.get(), noLimit);
        }
        assertThat(pace.takeNanos(nanos.get(), TimeUnit.SECONDS.toNanos(5)))
                .as("more wait than there may")
                .isNegative();
        int taken = 0;
        while (pace.distanceMs() > 0) {
            pace.succeeded();
            taken++;
        }
        assertThat(taken).isBetween(50, 80);
        pace.succeeded();
        assertThat(pace.takeNanos(nanos.get(), 0)).isZero();
    }

    @Test
    void requestsThatWouldWaitTooLongForTheirTurnFail() {
        // the clock stands still: no turn ever comes nearer
        RetryPolicy patient = new RetryPolicy(30, 1 << 30, 1, 1, 4, 60, 50, 400);
        RetryingStore retrying = retrying(patient);
        store.next(slowDown());
        fails(Reason.THROTTLED, retrying.get("k", 0, 1));
        int sent = store.requests.get();
        for (int i = 0; i < 20; i++) {
            CompletionStage<ByteBuf> one = retrying.get("k", 0, 1);
            assertThatThrownBy(() -> done(one)).isInstanceOf(CompletionException.class);
        }
        assertThat(store.requests.get() - sent).isLessThan(5);
    }

    @Test
    void putIfAbsentIsNeverTriedAgainBecauseItsFirstAttemptMayHaveWon() {
        store.next(unavailable());
        ByteBuf body = body("x");
        fails(Reason.TRANSIENT, retrying(POLICY).putIfAbsent("k", body));
        assertThat(store.requests).hasValue(1);
        assertThat(body.refCnt()).isZero();
    }

    @Test
    void anAttemptWithoutAnswerTimesOutAndTheNextOneServes() {
        store.next(new Hang());
        ByteBuf body = body("x");
        done(retrying(POLICY).put("k", body));
        assertThat(heard.events).containsExactly("PUT TIMEOUT 1", "PUT OK 2");
        assertThat(heard.resent).containsExactly("PUT 1");
        assertThat(body.refCnt()).as("the hung attempt may still read it").isOne();
        store.releaseHung();
        assertThat(body.refCnt()).isZero();
    }

    @Test
    void anAnswerThatComesTooLateIsReleased() {
        done(store.put("k", body("value")));
        store.next(new Late());
        ByteBuf answer = done(retrying(POLICY).get("k", 0, 5));
        assertThat(text(answer)).isEqualTo("value");
        // The leak detector of the build would report the late one.
        store.releaseHung();
        assertThat(heard.events).containsExactly("GET TIMEOUT 1", "GET OK 2");
    }

    @Test
    void aLargeBodyGetsTheTimeItsBytesNeed() {
        assertThat(RetryPolicy.DEFAULT.timeoutMs(64L << 20)).isEqualTo(15_000 + 64_000);
        assertThat(RetryPolicy.DEFAULT.timeoutMs(0)).isEqualTo(15_000);
    }

    @Test
    void duringALongOutageOneProbeAtATimeIsSentAndItsSuccessEndsIt() {
        RetryingStore retrying = retrying(POLICY);
        store.always(unavailable());
        fails(Reason.TRANSIENT, retrying.get("k", 0, 1));
        fails(Reason.TRANSIENT, retrying.get("k", 0, 1));
        assertThat(heard.events).contains("circuit open");
        int sent = store.requests.get();
        for (int hour = 0; hour < 3; hour++) {
            for (int i = 0; i < 200; i++) {
                fails(Reason.TRANSIENT, retrying.get("k", 0, 1));
            }
            assertThat(store.requests.get() - sent)
                    .as("requests sent while the circuit is open")
                    .isLessThanOrEqualTo(hour);
            clock.addAndGet(TimeUnit.HOURS.toNanos(1));
            fails(Reason.TRANSIENT, retrying.get("k", 0, 1));
        }
        store.always(null);
        done(store.put("k", body("v")));
        clock.addAndGet(TimeUnit.HOURS.toNanos(1));
        assertThat(text(done(retrying.get("k", 0, 1)))).isEqualTo("v");
        assertThat(heard.events).endsWith("circuit closed", "GET OK 1");
    }

    @Test
    void notFoundIsAnAnswerAndKeepsTheCircuitClosed() {
        RetryingStore retrying = retrying(POLICY);
        for (int i = 0; i < 50; i++) {
            fails(Reason.NOT_FOUND, retrying.get("missing", 0, 1));
        }
        done(retrying.put("k", body("v")));
        assertThat(heard.events).doesNotContain("circuit open");
    }

    @Test
    void aBodyIsNotKeptAfterTheOutageWasReported() {
        RetryingStore retrying = retrying(POLICY);
        store.always(unavailable());
        List<ByteBuf> bodies = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            ByteBuf body = body("body " + i);
            bodies.add(body);
            fails(Reason.TRANSIENT, retrying.put("k", body));
        }
        assertThat(bodies).allSatisfy(body -> assertThat(body.refCnt()).isZero());
    }

    @Test
    void theOpenTimeGrowsToItsBoundWhileProbesFail() {
        AtomicLong nanos = new AtomicLong();
        CircuitBreaker breaker = new CircuitBreaker(POLICY, nanos::get, new Random(5), heard);
        for (int i = 0; i < 6; i++) {
            breaker.failed(breaker.tryPass());
        }
        for (long openMs : new long[] {50, 100, 200, 400, 400, 400}) {
            assertThat(breaker.tryPass()).isNegative();
            nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(openMs / 2) - 1);
            assertThat(breaker.tryPass()).as("before half of %d ms", openMs).isNegative();
            nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(openMs - openMs / 2) + 1);
            long probe = breaker.tryPass();
            assertThat(probe).as("after %d ms", openMs).isPositive();
            assertThat(breaker.tryPass()).as("one probe at a time").isNegative();
            breaker.failed(probe);
        }
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        assertThat(breaker.tryPass()).isPositive();
        breaker.succeeded();
        assertThat(breaker.tryPass()).isZero();
    }

    // ---- steps

    private static Fail unavailable() {
        return new Fail(new ObjectStoreException(Reason.TRANSIENT, "503 SlowDown", null));
    }

    private static Fail slowDown() {
        return new Fail(new ObjectStoreException(Reason.THROTTLED, "503 SlowDown", null));
    }

    private static ByteBuf body(String text) {
        return ByteBufAllocator.DEFAULT.directBuffer().writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(ByteBuf bytes) {
        String text = bytes.toString(StandardCharsets.UTF_8);
        bytes.release();
        return text;
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    private static void fails(Reason reason, CompletionStage<?> stage) {
        assertThatThrownBy(() -> done(stage))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ObjectStoreException.class,
                        e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    }

    private static final class Heard implements StoreListener {
        private final List<Long> distances = Collections.synchronizedList(new ArrayList<>());
        private final List<String> events = Collections.synchronizedList(new ArrayList<>());
        private final List<String> resent = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void attempted(Operation operation, Outcome outcome, int requests, long bytes, long nanos, int attempt) {
            if (outcome != Outcome.NOT_SENT) {
                events.add(operation + " " + outcome + " " + attempt);
            }
        }

        @Override
        public void paced(long distanceMs) {
            distances.add(distanceMs);
        }

        @Override
        public void again(Operation operation, long bytes) {
            resent.add(operation + " " + bytes);
        }

        @Override
        public void circuit(boolean open) {
            events.add(open ? "circuit open" : "circuit closed");
        }
    }
}
