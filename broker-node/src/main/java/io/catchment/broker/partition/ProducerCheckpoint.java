package io.catchment.broker.partition;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;

/**
 * The payload of a checkpoint frame, big-endian. Its CRC is the frame's.
 *
 * <p>Version 1, of a partition that knows no transactions: version byte (1), producer count (int); for each producer: id (long), epoch
 * (short), batch count (byte); for each of its newest batches, oldest first: last sequence (int), last offset (long), offset
 * delta (int), timestamp (long).
 *
 * <p>Version 2: version byte (2), producer count (int); for each producer: id (long), epoch (short), coordinator epoch (int, -1 for none), time
 * of its last batch or marker (long), first offset of its transaction under way (long, -1 for none), batch count (byte), batches as above.
 * Then the offset from which on all aborted transactions are listed, by their marker (long), their count (int); for each, in the order of the
 * markers: producer id (long), first offset (long), offset of its marker (long), last stable offset after it (long).
 */
final class ProducerCheckpoint {
    private static final byte PLAIN = 1;
    private static final byte TRANSACTIONAL = 2;
    private static final long NONE = -1;
    /** A checkpoint of this length knows of no producers: it need not be read. */
    static final int EMPTY_BYTES = Byte.BYTES + Integer.BYTES;

    private ProducerCheckpoint() {}

    /** What a checkpoint tells, in the order of its bytes. */
    interface Sink {
        void producer(ProducerStateEntry producer, List<BatchMetadata> batches);

        void aborted(long knownFrom, List<AbortedTransaction> aborted);
    }

    static void write(Collection<ProducerStateEntry> producers, ByteBuf out) {
        out.writeByte(PLAIN);
        int countAt = out.writerIndex();
        out.writeInt(0);
        int count = 0;
        for (ProducerStateEntry producer : producers) {
            Collection<BatchMetadata> batches = producer.batchMetadata();
            if (batches.isEmpty()) {
                continue;
            }
            out.writeLong(producer.producerId());
            out.writeShort(producer.producerEpoch());
            writeBatches(batches, out);
            count++;
        }
        out.setInt(countAt, count);
    }

    static void write(Collection<ProducerStateEntry> producers, AbortedTransactions aborted, ByteBuf out) {
        out.writeByte(TRANSACTIONAL);
        out.writeInt(producers.size());
        for (ProducerStateEntry producer : producers) {
            out.writeLong(producer.producerId());
            out.writeShort(producer.producerEpoch());
            out.writeInt(producer.coordinatorEpoch());
            out.writeLong(producer.lastTimestamp());
            out.writeLong(producer.currentTxnFirstOffset().orElse(NONE));
            writeBatches(producer.batchMetadata(), out);
        }
        List<AbortedTransaction> all = aborted.all();
        out.writeLong(aborted.knownFrom());
        out.writeInt(all.size());
        for (AbortedTransaction each : all) {
            out.writeLong(each.producerId());
            out.writeLong(each.firstOffset());
            out.writeLong(each.lastOffset());
            out.writeLong(each.lastStableOffset());
        }
    }

    private static void writeBatches(Collection<BatchMetadata> batches, ByteBuf out) {
        out.writeByte(batches.size());
        for (BatchMetadata batch : batches) {
            out.writeInt(batch.lastSeq());
            out.writeLong(batch.lastOffset());
            out.writeInt(batch.offsetDelta());
            out.writeLong(batch.timestamp());
        }
    }

    static void read(ByteBuf in, Sink sink) {
        byte version = in.readByte();
        if (version != PLAIN && version != TRANSACTIONAL) {
            throw new IllegalStateException("checkpoint of version " + version + ", this node reads versions " + PLAIN
                    + " and " + TRANSACTIONAL);
        }
        int producers = in.readInt();
        for (int p = 0; p < producers; p++) {
            long producerId = in.readLong();
            short epoch = in.readShort();
            int coordinatorEpoch = version == PLAIN ? -1 : in.readInt();
            long lastTimestamp = version == PLAIN ? NONE : in.readLong();
            long firstOffset = version == PLAIN ? NONE : in.readLong();
            List<BatchMetadata> batches = readBatches(in);
            sink.producer(
                    new ProducerStateEntry(
                            producerId,
                            epoch,
                            coordinatorEpoch,
                            lastTimestamp,
                            firstOffset == NONE ? OptionalLong.empty() : OptionalLong.of(firstOffset)),
                    batches);
        }
        if (version == TRANSACTIONAL) {
            long knownFrom = in.readLong();
            int count = in.readInt();
            List<AbortedTransaction> aborted = new ArrayList<>(count);
            for (int a = 0; a < count; a++) {
                aborted.add(new AbortedTransaction(in.readLong(), in.readLong(), in.readLong(), in.readLong()));
            }
            sink.aborted(knownFrom, aborted);
        }
    }

    private static List<BatchMetadata> readBatches(ByteBuf in) {
        int count = in.readUnsignedByte();
        List<BatchMetadata> batches = new ArrayList<>(count);
        for (int b = 0; b < count; b++) {
            int lastSequence = in.readInt();
            long lastOffset = in.readLong();
            int offsetDelta = in.readInt();
            batches.add(new BatchMetadata(lastSequence, lastOffset, offsetDelta, in.readLong()));
        }
        return batches;
    }
}
