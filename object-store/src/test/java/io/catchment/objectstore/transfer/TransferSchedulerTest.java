package io.catchment.objectstore.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TransferSchedulerTest {
    private static final long MIB = 1 << 20;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    /** A transfer takes 1 s for each 10 MiB. */
    private final SimulatedLink link = new SimulatedLink(0, 10.0 * MIB);

    private final List<TransferClass> started = new ArrayList<>();
    private final List<Long> waitedNanos = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();
    private int notSent;
    private int late;

    private TransferScheduler scheduler(TransferSettings settings) {
        return new TransferScheduler(settings, link::nanoTime, link, new TransferListener() {
            @Override
            public void started(TransferClass of, Direction direction, long nanos) {
                started.add(of);
                waitedNanos.add(nanos);
            }

            @Override
            public void ended(TransferClass of, Direction direction, long bytes, boolean ok) {}

            @Override
            public void refused(TransferClass of, Direction direction) {
                refused.add(of + " " + direction);
            }
        });
    }

    private static TransferSettings places(int places) {
        return new TransferSettings(places, 0, 0, 100);
    }

    private CompletableFuture<Long> up(TransferScheduler scheduler, TransferClass of, long bytes) {
        return submit(scheduler, of, Direction.UP, bytes);
    }

    private CompletableFuture<Long> submit(
            TransferScheduler scheduler, TransferClass of, Direction direction, long bytes) {
        return scheduler
                .submit(of, direction, bytes, () -> link.transfer(bytes), () -> notSent++, value -> late++)
                .toCompletableFuture();
    }

    @Test
    void afterAnOutageUrgentExtentsGoFirstAndTheOthersGetTheirLeastShares() {
        TransferScheduler scheduler = scheduler(places(1));
        for (int i = 0; i < 60; i++) {
            up(scheduler, TransferClass.FLUSH_BULK, 10 * MIB);
            up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
            up(scheduler, TransferClass.FLUSH_URGENT, 10 * MIB);
        }
        link.run(500 * SECOND);
        assertThat(started).hasSize(180);
        // What found nothing before it began at once; then come the urgent ones.
        assertThat(started.subList(1, 6)).containsOnly(TransferClass.FLUSH_URGENT);
        int urgentDone = started.lastIndexOf(TransferClass.FLUSH_URGENT) + 1;
        assertThat(urgentDone).as("15 % and 5 % are others'").isBetween(70, 77);
        List<TransferClass> meanwhile = started.subList(1, urgentDone);
        assertThat(meanwhile.stream().filter(TransferClass.FLUSH_NORMAL::equals))
                .hasSizeBetween(9, 12);
        assertThat(meanwhile.stream().filter(TransferClass.FLUSH_BULK::equals)).hasSizeBetween(3, 4);
        int normalDone = started.lastIndexOf(TransferClass.FLUSH_NORMAL) + 1;
        List<TransferClass> then = started.subList(urgentDone, normalDone);
        assertThat(then.stream().filter(TransferClass.FLUSH_BULK::equals))
                .as("bulk's share of what normal leaves")
                .hasSizeBetween(2, 3);
    }

    /** Java tells want of threads and of direct memory by an error. */
    @Test
    void aTransferForWhichThereIsNoMemoryKeepsNobodyWaiting() {
        TransferScheduler scheduler = scheduler(places(1));
        CompletableFuture<Long> hopeless = scheduler
                .<Long>submit(
                        TransferClass.FLUSH_NORMAL,
                        Direction.UP,
                        MIB,
                        () -> {
                            throw new OutOfMemoryError("no thread");
                        },
                        () -> notSent++,
                        value -> late++)
                .toCompletableFuture();
        CompletableFuture<Long> next = up(scheduler, TransferClass.FLUSH_NORMAL, MIB);
        link.run(10 * SECOND);
        assertThat(hopeless).isCompletedExceptionally();
        assertThat(next).isCompletedWithValue(MIB);
        assertThat(scheduler.running(TransferClass.FLUSH_NORMAL, Direction.UP)).isZero();
    }

    @Test
    void whatIsReadAndWhatIsWrittenDoNotWaitForEachOther() {
        TransferScheduler scheduler = scheduler(places(1));
        up(scheduler, TransferClass.FLUSH_NORMAL, 100 * MIB);
        CompletableFuture<Long> read = submit(scheduler, TransferClass.BACKGROUND, Direction.DOWN, 10 * MIB);
        link.run(SECOND);
        assertThat(read).isCompletedWithValue(10 * MIB);
    }

    @Test
    void whoeverCatchesUpLeavesPlacesForReadersAtTheTail() {
        TransferScheduler scheduler = scheduler(places(8));
        for (int i = 0; i < 50; i++) {
            submit(scheduler, TransferClass.CATCH_UP_READ, Direction.DOWN, 80 * MIB);
            submit(scheduler, TransferClass.BACKGROUND, Direction.DOWN, 80 * MIB);
        }
        assertThat(scheduler.running(TransferClass.CATCH_UP_READ, Direction.DOWN)
                        + scheduler.running(TransferClass.BACKGROUND, Direction.DOWN))
                .isEqualTo(6);
        submit(scheduler, TransferClass.TAIL_READ, Direction.DOWN, MIB);
        submit(scheduler, TransferClass.TAIL_READ, Direction.DOWN, MIB);
        int tail = started.indexOf(TransferClass.TAIL_READ);
        assertThat(started.subList(tail, started.size()))
                .containsExactly(TransferClass.TAIL_READ, TransferClass.TAIL_READ);
        assertThat(waitedNanos.get(tail)).isZero();
        link.run(60 * SECOND);
        assertThat(started.subList(tail + 2, started.size()))
                .contains(TransferClass.CATCH_UP_READ, TransferClass.BACKGROUND);
    }

    @Test
    void nobodyWaitsWhileThereAreFreePlaces() {
        TransferScheduler scheduler = scheduler(places(4));
        up(scheduler, TransferClass.FLUSH_BULK, 10 * MIB);
        up(scheduler, TransferClass.BACKGROUND, 10 * MIB);
        assertThat(waitedNanos).containsExactly(0L, 0L);
    }

    @Test
    void whatFindsTheQueueOfItsClassFullFailsAtOnceAndLeavesTheOtherClassesAlone() {
        TransferScheduler scheduler = scheduler(new TransferSettings(1, 0, 0, 3));
        List<CompletableFuture<Long>> taken = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            taken.add(up(scheduler, TransferClass.FLUSH_BULK, MIB));
        }
        fails(Reason.TRANSIENT, up(scheduler, TransferClass.FLUSH_BULK, MIB));
        assertThat(notSent).isOne();
        assertThat(refused).containsExactly("FLUSH_BULK UP");
        taken.add(up(scheduler, TransferClass.FLUSH_URGENT, MIB));
        link.run(SECOND);
        assertThat(taken).allSatisfy(one -> assertThat(one).isCompletedWithValue(MIB));
    }

    @Test
    void whatIsCancelledWhileItWaitsIsNeverSent() {
        TransferScheduler scheduler = scheduler(places(1));
        CompletableFuture<Long> running = up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
        CompletableFuture<Long> waiting = up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
        CompletableFuture<Long> last = up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
        waiting.cancel(false);
        assertThat(notSent).isOne();
        running.cancel(false);
        assertThat(notSent).as("what has begun goes on").isOne();
        link.run(2 * SECOND);
        assertThat(late).as("its answer is taken care of").isOne();
        assertThat(last).isCompletedWithValue(10 * MIB);
        assertThat(started).hasSize(2);
    }

    @Test
    void whatIsHastenedWaitsBehindThoseOfItsNewClassAndBeforeItsOldOne() {
        TransferScheduler scheduler = scheduler(places(1));
        CompletableFuture<Long> running = up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
        CompletableFuture<Long> first = up(scheduler, TransferClass.CATCH_UP_READ, 10 * MIB);
        CompletableFuture<Long> second = up(scheduler, TransferClass.CATCH_UP_READ, 10 * MIB);
        CompletableFuture<Long> tail = up(scheduler, TransferClass.TAIL_READ, 10 * MIB);
        scheduler.hasten(second, TransferClass.TAIL_READ);
        scheduler.hasten(tail, TransferClass.BACKGROUND);
        scheduler.hasten(running, TransferClass.FLUSH_URGENT);
        scheduler.hasten(new CompletableFuture<Long>(), TransferClass.FLUSH_URGENT);
        assertThat(scheduler.waiting(TransferClass.TAIL_READ, Direction.UP)).isEqualTo(2);
        link.run(2 * SECOND + SECOND / 2);
        assertThat(tail).isDone();
        assertThat(second).isNotDone();
        link.run(SECOND);
        assertThat(second).isDone();
        assertThat(first).isNotDone();
        link.run(SECOND);
        assertThat(first).isDone();
        assertThat(started)
                .containsExactly(
                        TransferClass.FLUSH_NORMAL,
                        TransferClass.TAIL_READ,
                        TransferClass.TAIL_READ,
                        TransferClass.CATCH_UP_READ);
        for (TransferClass each : TransferClass.values()) {
            assertThat(scheduler.running(each, Direction.UP)).as("%s", each).isZero();
        }
    }

    @Test
    void whatIsHastenedAndCancelledIsNotSent() {
        TransferScheduler scheduler = scheduler(places(1));
        up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
        CompletableFuture<Long> waiting = up(scheduler, TransferClass.CATCH_UP_READ, 10 * MIB);
        scheduler.hasten(waiting, TransferClass.TAIL_READ);
        waiting.cancel(false);
        assertThat(notSent).isOne();
        link.run(5 * SECOND);
        assertThat(started).containsExactly(TransferClass.FLUSH_NORMAL);
    }

    @Test
    void aBoundOnBandwidthHoldsOnAverageWhateverTheSizes() {
        TransferScheduler scheduler = scheduler(new TransferSettings(8, 4 * MIB, 0, 1000));
        List<CompletableFuture<Long>> all = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            all.add(up(scheduler, TransferClass.FLUSH_NORMAL, (i % 4 == 0 ? 8 : 1) * MIB));
        }
        link.run(20 * SECOND);
        long begun = 0;
        for (int i = 0; i < started.size(); i++) {
            begun += (i % 4 == 0 ? 8 : 1) * MIB;
        }
        assertThat(begun).isBetween(20 * 4 * MIB - 8 * MIB, 20 * 4 * MIB + 9 * MIB);
        link.run(10 * SECOND);
        assertThat(all).allSatisfy(one -> assertThat(one).isCompleted());
        CompletableFuture<Long> read = submit(scheduler, TransferClass.CATCH_UP_READ, Direction.DOWN, 100 * MIB);
        link.run(10 * SECOND);
        assertThat(read).as("the other direction has no bound").isCompleted();
    }

    @Test
    void whatIsSentAgainCountsAndWhatWasNotSentDoesNot() {
        TransferScheduler scheduler = scheduler(new TransferSettings(8, MIB, 0, 1000));
        for (int i = 0; i < 100; i++) {
            CompletionStage<Long> notEvenTried = scheduler.submit(
                    TransferClass.FLUSH_NORMAL,
                    Direction.UP,
                    MIB,
                    () -> CompletableFuture.failedStage(new ObjectStoreException(Reason.TRANSIENT, "open", null)),
                    () -> notSent++,
                    value -> late++);
            fails(Reason.TRANSIENT, notEvenTried);
        }
        scheduler.charge(Direction.UP, 10 * MIB);
        CompletableFuture<Long> after = up(scheduler, TransferClass.FLUSH_URGENT, MIB);
        link.run(9 * SECOND);
        assertThat(after).isNotDone();
        link.run(2 * SECOND);
        assertThat(after).isCompleted();
    }

    @Test
    void aRequestThatThrowsGivesItsPlaceBack() {
        TransferScheduler scheduler = scheduler(places(1));
        CompletionStage<Long> wrong = scheduler.submit(
                TransferClass.BACKGROUND,
                Direction.UP,
                1,
                () -> {
                    throw new IllegalArgumentException("bad key");
                },
                () -> notSent++,
                value -> late++);
        assertThat(wrong.toCompletableFuture())
                .failsWithin(0, TimeUnit.SECONDS)
                .withThrowableThat()
                .withMessageContaining("bad key");
        assertThat(notSent).isZero();
        CompletableFuture<Long> next = up(scheduler, TransferClass.BACKGROUND, MIB);
        link.run(SECOND);
        assertThat(next).isCompleted();
    }

    @Test
    void aLongQueueOfTransfersThatEndAtOnceIsNoDeepRecursion() {
        TransferScheduler scheduler = scheduler(new TransferSettings(1, 0, 0, 200_000));
        CompletableFuture<Long> first = up(scheduler, TransferClass.BACKGROUND, MIB);
        List<CompletionStage<Long>> all = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            all.add(scheduler.submit(
                    TransferClass.BACKGROUND,
                    Direction.UP,
                    1,
                    () -> CompletableFuture.completedStage(1L),
                    () -> notSent++,
                    value -> late++));
        }
        link.run(SECOND);
        assertThat(first).isCompleted();
        assertThat(all).allSatisfy(one -> assertThat(one.toCompletableFuture()).isCompletedWithValue(1L));
    }

    @Test
    void closingFailsWhatWaitsAndLetsWhatRunsEnd() {
        TransferScheduler scheduler = scheduler(places(1));
        CompletableFuture<Long> running = up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
        CompletableFuture<Long> waiting = up(scheduler, TransferClass.FLUSH_NORMAL, 10 * MIB);
        scheduler.close();
        fails(Reason.REFUSED, waiting);
        fails(Reason.REFUSED, up(scheduler, TransferClass.FLUSH_URGENT, 1));
        assertThat(notSent).isEqualTo(2);
        link.run(SECOND);
        assertThat(running).isCompleted();
    }

    @Test
    void thePlacesOfAClassAreAtLeastOneAndNeverAll() {
        Map<TransferClass, Integer> ofEight = new EnumMap<>(TransferClass.class);
        Map<TransferClass, Integer> ofOne = new LinkedHashMap<>();
        for (TransferClass each : TransferClass.values()) {
            ofEight.put(each, each.placesMax(8));
            ofOne.put(each, each.placesMax(1));
        }
        assertThat(ofOne.values()).containsOnly(1);
        assertThat(ofEight)
                .containsEntry(TransferClass.FLUSH_URGENT, 8)
                .containsEntry(TransferClass.FLUSH_NORMAL, 6)
                .containsEntry(TransferClass.TAIL_READ, 8)
                .containsEntry(TransferClass.CATCH_UP_READ, 6)
                .containsEntry(TransferClass.BACKGROUND, 4);
    }

    private static void fails(Reason reason, CompletionStage<?> stage) {
        assertThat(stage.toCompletableFuture()).isCompletedExceptionally();
        try {
            stage.toCompletableFuture().join();
        } catch (CompletionException failed) {
            assertThat(failed.getCause())
                    .isInstanceOfSatisfying(ObjectStoreException.class, known -> assertThat(known.reason())
                            .isEqualTo(reason));
        }
    }
}
