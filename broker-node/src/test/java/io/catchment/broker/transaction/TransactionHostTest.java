package io.catchment.broker.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.TransactionVerifier;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.FakePartition;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The coordinator's life, on its own threads; its log takes everything and acknowledges nothing. */
class TransactionHostTest {
    private static final long PATIENCE_S = 30;

    private final FakeControlPlane control = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final FakePartition stateLog = new FakePartition(TransactionTopic.NAME, Uuid.randomUuid(), 0, 100);
    private final FakeDirectory directory = new FakeDirectory();
    private final PeerRequests peers = new PeerRequests(1, Time.SYSTEM);
    private final TransactionSettings settings =
            TransactionSettings.of(Map.of("transaction.state.log.num.partitions", "1"));
    private final SerialThread thread = new SerialThread("transactions");
    private final CompletableFuture<Boolean> appended = new CompletableFuture<>();
    private final TransactionHost host = new TransactionHost(
            settings,
            new TransactionHost.Parts(
                    new TransactionTopic(
                            control::image,
                            topic -> CompletableFuture.failedFuture(new AssertionError("nobody looks for it")),
                            settings),
                    control::image,
                    () -> CompletableFuture.completedFuture(7L),
                    new SilentLog(),
                    directory,
                    (streamId, fromOffset, limitOffset, bytesMax) -> {
                        throw new AssertionError("there is nothing to read");
                    },
                    peers,
                    "NOWHERE",
                    Time.SYSTEM),
            thread);

    @AfterEach
    void close() {
        host.close();
        thread.close();
        peers.close();
    }

    @Test
    void whoWaitsForAnAcknowledgementWhenTheEpochEndsIsSentToTheNextCoordinator() throws Exception {
        directory.open(stateLog);
        host.onPartitionOpened(0);
        CompletableFuture<Identity> asked = init();
        while (asked.isDone()) {
            assertThat(asked.join().error()).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
            Thread.sleep(1);
            asked = init();
        }
        assertThat(appended.get(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
        host.close();
        thread.close();
        assertThat(asked.get(PATIENCE_S, TimeUnit.SECONDS).error()).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(init().get(PATIENCE_S, TimeUnit.SECONDS).error()).isEqualTo(Errors.NOT_COORDINATOR);
    }

    /** Done unless its record was appended. */
    private CompletableFuture<Identity> init() throws Exception {
        CompletableFuture<Identity> asked =
                host.coordinator().initProducerId("tx", 1_000, Optional.empty()).toCompletableFuture();
        CompletableFuture.anyOf(asked, appended).get(PATIENCE_S, TimeUnit.SECONDS);
        return asked;
    }

    private final class SilentLog implements InternalLog {
        @Override
        public CompletionStage<Long> append(
                TopicPartition partition, int leaderEpoch, ByteBuffer batches, InTransaction transaction) {
            appended.complete(true);
            return CompletableFuture.completedFuture(1L);
        }

        @Override
        public CompletionStage<VerificationGuard> verify(
                TopicPartition partition, TransactionVerifier.Use use, long producerId, short producerEpoch) {
            return CompletableFuture.failedFuture(new AssertionError("the coordinator's log is in no transaction"));
        }
    }
}
