package io.catchment.broker.partition;

import io.netty.buffer.ByteBuf;
import java.util.Collection;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;

/**
 * The payload of a checkpoint frame, big-endian: version byte (1), producer count (int); for each producer: id (long), epoch
 * (short), batch count (byte); for each of its newest batches, oldest first: last sequence (int), last offset (long), offset
 * delta (int), timestamp (long). Its CRC is the frame's.
 */
final class ProducerCheckpoint {
    private static final byte VERSION = 1;
    /** A checkpoint of this length knows of no producers: it need not be read. */
    static final int EMPTY_BYTES = Byte.BYTES + Integer.BYTES;

    private ProducerCheckpoint() {}

    interface BatchConsumer {
        void batch(long producerId, short epoch, BatchMetadata batch);
    }

    static void write(Collection<ProducerStateEntry> producers, ByteBuf out) {
        out.writeByte(VERSION);
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
            out.writeByte(batches.size());
            for (BatchMetadata batch : batches) {
                out.writeInt(batch.lastSeq());
                out.writeLong(batch.lastOffset());
                out.writeInt(batch.offsetDelta());
                out.writeLong(batch.timestamp());
            }
            count++;
        }
        out.setInt(countAt, count);
    }

    static void read(ByteBuf in, BatchConsumer consumer) {
        byte version = in.readByte();
        if (version != VERSION) {
            throw new IllegalStateException(
                    "checkpoint of version " + version + ", this node reads version " + VERSION);
        }
        int producers = in.readInt();
        for (int p = 0; p < producers; p++) {
            long producerId = in.readLong();
            short epoch = in.readShort();
            int batches = in.readUnsignedByte();
            for (int b = 0; b < batches; b++) {
                int lastSequence = in.readInt();
                long lastOffset = in.readLong();
                int offsetDelta = in.readInt();
                long timestamp = in.readLong();
                consumer.batch(producerId, epoch, new BatchMetadata(lastSequence, lastOffset, offsetDelta, timestamp));
            }
        }
    }
}
