package io.catchment.broker.producerid;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class InitProducerIdHandlerTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final ProducerIds ids = new ProducerIds(controlPlane, 1, () -> 7);
    private final InitProducerIdHandler handler = new InitProducerIdHandler(
            ids,
            asked -> CompletableFuture.completedFuture(
                    new InitProducerIdResponseData().setProducerId(77).setProducerEpoch((short) 5)));

    static List<Short> versions() {
        return ApiKeys.INIT_PRODUCER_ID.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void anIdempotentProducerGetsAnIdAtEachVersion(short version) {
        InitProducerIdResponseData first = ask(new InitProducerIdRequestData().setTransactionalId(null), version);
        InitProducerIdResponseData second = ask(new InitProducerIdRequestData().setTransactionalId(null), version);

        assertThat(first.errorCode()).isZero();
        assertThat(first.producerEpoch()).isZero();
        assertThat(second.producerId()).isEqualTo(first.producerId() + 1);
        assertThat(controlPlane.submitted()).contains(new Command.AllocateProducerIds(1, 7));
    }

    @Test
    void aProducerThatNamesItsOldIdGetsANewOneAsInKafka() {
        InitProducerIdResponseData data = ask(
                new InitProducerIdRequestData()
                        .setTransactionalId(null)
                        .setProducerId(12)
                        .setProducerEpoch((short) 3),
                (short) 4);
        assertThat(data.errorCode()).isZero();
        assertThat(data.producerId()).isNotEqualTo(12);
        assertThat(data.producerEpoch()).isZero();
    }

    @Test
    void anIdWithoutEpochOrAnEmptyTransactionalIdIsInvalid() {
        assertThat(refusal(
                        new InitProducerIdRequestData().setTransactionalId(null).setProducerId(12)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(refusal(
                        new InitProducerIdRequestData().setTransactionalId(null).setProducerEpoch((short) 1)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(refusal(new InitProducerIdRequestData().setTransactionalId("")))
                .isEqualTo(Errors.INVALID_REQUEST);
    }

    @Test
    void aTransactionalIdIsTheCoordinatorsMatter() {
        InitProducerIdResponseData answer = ask(new InitProducerIdRequestData().setTransactionalId("tx"), (short) 4);
        assertThat(answer.producerId()).isEqualTo(77);
        assertThat(answer.producerEpoch()).isEqualTo((short) 5);
    }

    @Test
    void twoPhaseCommitIsNotAllowed() {
        InitProducerIdRequestData data =
                new InitProducerIdRequestData().setTransactionalId("tx").setEnable2Pc(true);
        assertThat(Errors.forCode(ask(data, (short) 6).errorCode()))
                .isEqualTo(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }

    @Test
    void withoutAControllerTheProducerIsToldToTryAgain() {
        controlPlane.failNext(Reason.UNAVAILABLE);
        InitProducerIdRequestData data = new InitProducerIdRequestData().setTransactionalId(null);
        assertThat(refusal(data)).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
        assertThat(ask(data, (short) 4).errorCode()).isZero();
    }

    @Test
    void afterANewRegistrationBlocksAreAskedForInTheNewEpoch() {
        AtomicLong epoch = new AtomicLong(7);
        ProducerIds returning = new ProducerIds(controlPlane, 1, epoch::get);
        controlPlane.failNext(Reason.FENCED);
        assertThat(returning.next().toCompletableFuture()).isCompletedExceptionally();
        epoch.set(9);
        assertThat(returning.next().toCompletableFuture()).isCompleted();
        assertThat(controlPlane.submitted())
                .containsExactly(new Command.AllocateProducerIds(1, 7), new Command.AllocateProducerIds(1, 9));
    }

    @Test
    void theNextBlockIsThereBeforeThePresentOneIsUsedUp() {
        for (int i = 0; i < 950; i++) {
            ids.next().toCompletableFuture().join();
        }
        controlPlane.pause();
        List<CompletableFuture<Long>> answers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            answers.add(ids.next().toCompletableFuture());
        }
        assertThat(answers).allSatisfy(answer -> assertThat(answer).isCompleted());
        assertThat(blocks()).isEqualTo(3);
        controlPlane.resume();
    }

    @Test
    void thoseWhoWaitShareABlockAndAnotherIsFetchedIfItDoesNotDo() {
        controlPlane.pause();
        List<CompletableFuture<Long>> answers = new ArrayList<>();
        for (int i = 0; i < 2500; i++) {
            answers.add(ids.next().toCompletableFuture());
        }
        assertThat(blocks()).isEqualTo(1);
        controlPlane.resume();

        Set<Long> distinct = new HashSet<>();
        answers.forEach(answer -> distinct.add(answer.join()));
        assertThat(distinct).hasSize(2500);
    }

    @Test
    void manyThreadsNeverGetTheSameId() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<List<Long>>> parts = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                parts.add(threads.submit(() -> {
                    List<Long> mine = new ArrayList<>();
                    for (int i = 0; i < 5_000; i++) {
                        mine.add(ids.next().toCompletableFuture().join());
                    }
                    return mine;
                }));
            }
            Set<Long> all = new HashSet<>();
            for (Future<List<Long>> part : parts) {
                all.addAll(part.get());
            }
            assertThat(all).hasSize(20_000);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void anotherProcessOfTheSameNodeNeverHandsOutTheSameIds() {
        long before = ids.next().toCompletableFuture().join();
        ProducerIds afterRestart = new ProducerIds(controlPlane, 1, () -> 8);
        assertThat(afterRestart.next().toCompletableFuture().join()).isGreaterThan(before + 500);
    }

    private long blocks() {
        return controlPlane.submitted().stream()
                .filter(Command.AllocateProducerIds.class::isInstance)
                .count();
    }

    private Errors refusal(InitProducerIdRequestData data) {
        InitProducerIdResponseData answer = ask(data, (short) 4);
        assertThat(answer.producerId()).isEqualTo(-1);
        return Errors.forCode(answer.errorCode());
    }

    private InitProducerIdResponseData ask(InitProducerIdRequestData data, short version) {
        // Parsed rather than built: the builder of the client refuses some of what a handler must expect.
        ByteBufferAccessor bytes = MessageUtil.toByteBufferAccessor(data.setTransactionTimeoutMs(60_000), version);
        AbstractRequest request = AbstractRequest.parseRequest(
                        ApiKeys.INIT_PRODUCER_ID, version, new ByteBufferAccessor(bytes.buffer()))
                .request;
        InitProducerIdResponse response = (InitProducerIdResponse) FakeRequest.call(handler, request);
        return response.data();
    }
}
