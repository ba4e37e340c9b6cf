package io.catchment.chaos.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class CommitsTest {
    private final TopicPartition first = new TopicPartition("t", 0);
    private final TopicPartition second = new TopicPartition("t", 1);
    private final Commits commits = new Commits("g");
    private final Verdict verdict = new Verdict();

    private static Map<TopicPartition, OffsetAndMetadata> at(TopicPartition partition, long offset) {
        return Map.of(partition, new OffsetAndMetadata(offset));
    }

    private void committed(TopicPartition partition, long offset) {
        commits.attempt(at(partition, offset));
        commits.acknowledge(at(partition, offset));
    }

    private void lost(TopicPartition partition, long offset) {
        commits.attempt(at(partition, offset));
        commits.lose(at(partition, offset));
    }

    private void assertLost() {
        assertThat(verdict.violations()).extracting(Violation::kind).containsExactly(Violation.Kind.COMMIT_LOST);
    }

    @Test
    void whatWasCommittedLastOrAttemptedSinceIsRight() {
        committed(first, 10);
        commits.checkSome(at(first, 10), Set.of(first, second), verdict);
        lost(first, 20);
        commits.checkSome(at(first, 20), Set.of(first), verdict);
        commits.checkAll(at(first, 10), verdict);
        assertThat(verdict.violations()).isEmpty();
    }

    @Test
    void anOffsetThatWentBackIsNoticedWhenThePartitionIsAssigned() {
        committed(first, 10);
        committed(first, 20);
        commits.checkSome(at(first, 10), Set.of(first), verdict);
        assertLost();
    }

    @Test
    void anOffsetThatIsGoneIsNoticed() {
        committed(first, 10);
        commits.checkSome(Map.of(), Set.of(first), verdict);
        assertLost();
    }

    @Test
    void anOffsetThatNobodyCommittedIsNoticed() {
        committed(first, 10);
        commits.checkSome(at(first, 11), Set.of(first), verdict);
        assertLost();
    }

    @Test
    void aCommitOfUnknownFateMayComeLateWhileTheMemberGoesOn() {
        committed(first, 10);
        lost(first, 15);
        committed(first, 20);
        commits.checkSome(at(first, 15), Set.of(first), verdict);
        assertThat(verdict.violations()).isEmpty();
        commits.checkSome(at(first, 10), Set.of(first), verdict);
        assertLost();
    }

    @Test
    void atTheEndEachPartitionIsLookedAt() {
        committed(first, 10);
        committed(second, 5);
        commits.checkAll(at(first, 10), verdict);
        assertLost();
    }
}
