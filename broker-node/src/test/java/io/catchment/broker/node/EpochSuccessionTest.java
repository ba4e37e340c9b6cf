package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.CommandException;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Epochs that fail in every way, on a clock that the test moves; pauses take no time. */
class EpochSuccessionTest {
    private static final long DEADLINE_MS = 30_000;

    private final AtomicLong nanos = new AtomicLong();
    private final List<Long> pauses = new CopyOnWriteArrayList<>();
    private final List<FakeEpoch> epochs = new CopyOnWriteArrayList<>();
    private final List<String> hindrances = new CopyOnWriteArrayList<>();
    private final List<Throwable> fatal = new CopyOnWriteArrayList<>();
    /** Of further beginnings, in this order; those after them succeed. */
    private final Queue<Throwable> beginnings = new ConcurrentLinkedQueue<>();

    private final EpochSuccession<FakeEpoch> succession = new EpochSuccession<>(
            FakeEpoch::new, hindrances::add, fatal::add, pauses::add, nanos::get, new SplittableRandom(1));

    private final class FakeEpoch implements EpochSuccession.Epoch {
        final boolean again;
        private final Consumer<FakeEpoch> over;
        private volatile boolean begun;
        private volatile boolean left;
        private volatile boolean closed;
        private volatile Throwable closing;

        FakeEpoch(boolean again, Consumer<FakeEpoch> over) {
            this.again = again;
            this.over = over;
            epochs.add(this);
        }

        @Override
        public long epoch() {
            return begun ? epochs.indexOf(this) : -1;
        }

        @Override
        public void begin() throws Exception {
            raise(beginnings.poll());
            begun = true;
        }

        @Override
        public void leave() {
            left = true;
        }

        @Override
        public void close() {
            closed = true;
            try {
                raise(closing);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        void ends() {
            nanos.addAndGet(TimeUnit.MINUTES.toNanos(5));
            over.accept(this);
        }
    }

    private static void raise(Throwable failure) throws Exception {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof Exception exception) {
            throw exception;
        }
    }

    @AfterEach
    void close() {
        succession.close();
    }

    private FakeEpoch present() {
        FakeEpoch epoch = succession.present();
        if (epoch == null) {
            throw new AssertionError("there is no epoch");
        }
        return epoch;
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("deadline").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    private void awaitServing(int number) {
        await(() -> epochs.size() > number && epochs.get(number).begun);
    }

    @Test
    void anEpochThatIsOverIsClosedAndTheNextOneBegins() throws Exception {
        succession.begin();
        FakeEpoch first = present();
        first.ends();
        awaitServing(1);
        assertThat(first.closed).isTrue();
        assertThat(first.again).isFalse();
        assertThat(present().again).isTrue();
        assertThat(pauses).isEmpty();
        first.ends();
        present().ends();
        awaitServing(2);
        assertThat(epochs).as("what is over is over once").hasSize(3);
    }

    @Test
    void anErrorWhileAnEpochEndsEndsTheProcess() throws Exception {
        succession.begin();
        present().closing = new NoClassDefFoundError("injected");
        present().ends();
        await(() -> !fatal.isEmpty());
        assertThat(fatal).singleElement().satisfies(why -> assertThat(why)
                .hasMessageContaining("epoch 0")
                .hasMessageContaining("injected"));
        assertThat(epochs).hasSize(1);
    }

    @Test
    void soDoesAnExceptionThatNobodyExpectedThere() throws Exception {
        succession.begin();
        present().closing = new IllegalStateException("injected");
        present().ends();
        await(() -> !fatal.isEmpty());
        assertThat(epochs).hasSize(1);
    }

    @Test
    void anErrorWhileTheNextEpochBeginsEndsTheProcess() throws Exception {
        succession.begin();
        beginnings.add(new OutOfMemoryError("injected"));
        present().ends();
        await(() -> !fatal.isEmpty());
        assertThat(epochs).hasSize(2);
        assertThat(epochs.get(1).closed).isTrue();
    }

    @Test
    void whatMayPassIsTriedAgainHoweverOftenWithPausesThatGrow() throws Exception {
        succession.begin();
        for (int i = 0; i < 50; i++) {
            beginnings.add(
                    switch (i % 3) {
                        case 0 -> new IOException("injected: Input/output error");
                        case 1 -> new EpochOverException("injected: over");
                        default -> new CommandException(CommandException.Reason.UNAVAILABLE, "injected: silent");
                    });
        }
        present().ends();
        awaitServing(51);
        assertThat(fatal).isEmpty();
        assertThat(pauses).hasSize(50);
        assertThat(pauses.get(0)).isBetween(250L, 500L);
        assertThat(pauses.subList(10, 50)).allSatisfy(pause -> assertThat(pause).isBetween(5_000L, 10_000L));
        assertThat(hindrances).anySatisfy(why -> assertThat(why).contains("Input/output error"));
        assertThat(epochs.subList(0, 51))
                .allSatisfy(epoch -> assertThat(epoch.closed).isTrue());
    }

    @Test
    void aMistakeIsTriedAgainAndEndsTheProcessWhenItDoesNotPass() throws Exception {
        succession.begin();
        for (int i = 1; i < EpochSuccession.MISTAKES_MAX; i++) {
            beginnings.add(new IllegalStateException("injected"));
        }
        present().ends();
        awaitServing(EpochSuccession.MISTAKES_MAX);
        assertThat(fatal).isEmpty();

        for (int i = 0; i < EpochSuccession.MISTAKES_MAX; i++) {
            beginnings.add(new IllegalStateException("injected"));
        }
        present().ends();
        await(() -> !fatal.isEmpty());
        assertThat(epochs).hasSize(1 + 2 * EpochSuccession.MISTAKES_MAX);
        assertThat(beginnings).isEmpty();
    }

    @Test
    void anEpochThatIsOverAtOnceIsFollowedByAPause() throws Exception {
        succession.begin();
        FakeEpoch first = present();
        first.over.accept(first);
        awaitServing(1);
        assertThat(pauses).hasSize(1);
    }

    @Test
    void beforeItHasServedANodeThatCannotBeginDoesNotStart() {
        beginnings.add(new CommandException(CommandException.Reason.UNAVAILABLE, "injected: silent"));
        beginnings.add(new IOException("injected: no such directory"));
        assertThatThrownBy(succession::begin).hasMessageContaining("no such directory");
        assertThat(epochs).hasSize(2);
        assertThat(epochs.get(1).closed).isTrue();
    }

    @Test
    void nothingFollowsAfterTheEnd() throws Exception {
        succession.begin();
        FakeEpoch last = present();
        succession.close();
        assertThat(last.left).isTrue();
        assertThat(last.closed).isTrue();
        last.ends();
        assertThat(epochs).hasSize(1);
        assertThat(fatal).isEmpty();
    }
}
