package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.ManualTime;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.junit.jupiter.api.Test;

/** Transactions in the state of a partition's producers, from batches and from checkpoints. */
class TransactionalStatesTest {
    private final ProducerStates states = fresh();

    private static ProducerStates fresh() {
        return new ProducerStates(
                new TopicPartition("t", 0), new ProducerStateManagerConfig(86_400_000, true), new ManualTime(2_000));
    }

    @Test
    void whatIsStableEndsWhereTheFirstOpenTransactionBegins() {
        states.replay(data(7, 0, 100, 0), 0);
        states.replay(data(8, 0, 101, 0), 0);
        states.acknowledged(102);
        assertThat(states.firstUnstableOffset()).isEqualTo(100);
        states.replay(marker(7, 1, 102, ControlRecordType.COMMIT), 0);
        assertThat(states.firstUnstableOffset())
                .as("its marker is not acknowledged")
                .isEqualTo(100);
        states.acknowledged(103);
        assertThat(states.firstUnstableOffset()).isEqualTo(101);
        states.replay(marker(8, 1, 103, ControlRecordType.ABORT), 0);
        states.acknowledged(104);
        assertThat(states.firstUnstableOffset()).isEqualTo(Long.MAX_VALUE);
        assertThat(states.aborted().all()).containsExactly(new AbortedTransaction(8, 101, 103, 104));
    }

    @Test
    void aCheckpointCarriesOpenAbortedAndRaisedEpochs() {
        states.replay(data(7, 0, 100, 0), 0);
        states.replay(marker(7, 1, 101, ControlRecordType.ABORT), 0);
        states.replay(data(8, 0, 102, 0), 0);
        states.replay(data(8, 0, 103, 1), 0);
        ByteBuf written = Unpooled.buffer();
        states.writeTo(written);
        ProducerStates read = fresh();
        read.readFrom(written.duplicate());
        read.acknowledged(104);
        assertThat(read.firstUnstableOffset()).isEqualTo(102);
        assertThat(read.hasTransaction(8, (short) 0)).isTrue();
        assertThat(read.hasTransaction(7, (short) 1)).isFalse();
        assertThat(read.aborted().all()).isEqualTo(states.aborted().all()).hasSize(1);
        assertThat(read.entry(7).orElseThrow().producerEpoch()).isEqualTo((short) 1);
        ByteBuf again = Unpooled.buffer();
        read.writeTo(again);
        assertThat(again.readableBytes()).isEqualTo(written.readableBytes());
    }

    @Test
    void theBytesOfACheckpointAreThese() {
        states.beginsAt(3);
        states.replay(data(7, 0, 100, 0), 0);
        states.replay(marker(7, 1, 101, ControlRecordType.ABORT), 0);
        states.replay(data(7, 1, 102, 0), 0);
        ByteBuf written = Unpooled.buffer();
        states.writeTo(written);
        assertThat(ByteBufUtil.hexDump(written))
                .isEqualTo("02" + "00000001" // version, producers
                        + "0000000000000007" + "0001" + "00000005"
                        + "00000000000007d0" // id, epoch, coordinator, when heard of
                        + "0000000000000066" + "01" // open since, batches
                        + "00000000" + "0000000000000066" + "00000000" + "00000000000007d0"
                        + "0000000000000003" + "00000001" // known from, aborted
                        + "0000000000000007" + "0000000000000064" + "0000000000000065" + "0000000000000066");
    }

    @Test
    void aLateMarkerOfTheTransactionBeforeIsRefused() {
        states.replay(data(7, 0, 100, 0), 0);
        states.replay(marker(7, 1, 101, ControlRecordType.COMMIT), 0);
        ByteBuffer retry = marker(7, 1, 102, ControlRecordType.COMMIT);
        assertThat(states.prepareMarker(retry, 0, AppendOrigin.COORDINATOR, (short) 2)
                        .completed())
                .as("a marker that comes twice does no harm")
                .isEmpty();
        states.replay(data(7, 1, 102, 0), 0);
        ByteBuffer late = marker(7, 1, 103, ControlRecordType.COMMIT);
        assertThatThrownBy(() -> states.prepareMarker(late, 0, AppendOrigin.COORDINATOR, (short) 2))
                .isInstanceOf(InvalidProducerEpochException.class);
    }

    private static ByteBuffer data(long producerId, int epoch, long offset, int sequence) {
        ByteBuffer batch = MemoryRecords.withTransactionalRecords(
                        offset,
                        Compression.NONE,
                        producerId,
                        (short) epoch,
                        sequence,
                        5,
                        new SimpleRecord(1000, "k".getBytes(java.nio.charset.StandardCharsets.UTF_8), null))
                .buffer();
        return batch;
    }

    private static ByteBuffer marker(long producerId, int epoch, long offset, ControlRecordType type) {
        return MemoryRecords.withEndTransactionMarker(
                        offset, 1000, 5, producerId, (short) epoch, new EndTransactionMarker(type, 5))
                .buffer();
    }
}
