package io.catchment.broker.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class LocalDiskTest {
    private final LocalDisk disk = new LocalDisk(20);

    private <T> CompletableFuture<T> asked(CompletionStage<T> answer) {
        return disk.ask(() -> answer, late -> {}).toCompletableFuture();
    }

    private static void hangs(CompletableFuture<?> asked) {
        assertThatThrownBy(asked::join)
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(LocalDisk.HungException.class);
    }

    @Test
    void anAnswerInTimeIsPassedOnAndSoIsAFailure() {
        assertThat(asked(CompletableFuture.completedFuture("here")).join()).isEqualTo("here");
        assertThatThrownBy(asked(CompletableFuture.failedFuture(new IllegalStateException("broken")))::join)
                .hasRootCauseMessage("broken");
    }

    @Test
    void aDiskThatHangsIsNotAskedUntilItHasAnswered() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        List<String> released = new ArrayList<>();
        hangs(disk.ask(() -> answer, released::add).toCompletableFuture());
        List<String> questions = new ArrayList<>();
        hangs(disk.ask(
                        () -> {
                            questions.add("asked");
                            return CompletableFuture.completedFuture("");
                        },
                        late -> {})
                .toCompletableFuture());
        assertThat(questions).isEmpty();

        answer.complete("late");
        assertThat(released).containsExactly("late");
        assertThat(asked(CompletableFuture.completedFuture("well")).join()).isEqualTo("well");
    }

    @Test
    void aQuestionThatCouldNotBeAskedIsNotWaitedFor() {
        for (Throwable want : List.of(new OutOfMemoryError("no direct memory"), new IllegalStateException("closed"))) {
            assertThatThrownBy(() -> disk.ask(() -> sneaky(want), late -> {})).isSameAs(want);
        }
        // As long as a disk is waited for: what counted as unanswered would be hung now
        hangs(new LocalDisk(30).ask(CompletableFuture::new, late -> {}).toCompletableFuture());
        assertThat(asked(CompletableFuture.completedFuture("well")).join()).isEqualTo("well");
    }

    private static CompletionStage<String> sneaky(Throwable want) {
        if (want instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) want;
    }

    @Test
    void whoIsAloneWaitsForHoweverLong() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        CompletionStage<String> asked = new LocalDisk(0).ask(() -> answer, late -> {});
        assertThat(asked).isSameAs(answer);
    }
}
