package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.RecordsSend;

/**
 * Record batches of a response that lie in netty memory, for example a slice of the tail cache. Owned by whoever holds it,
 * one thread at a time: it holds one reference of the payload, taken over at construction. Answering a request with it hands
 * that reference to the network, which writes the bytes without a copy and releases them after (or when the connection is
 * gone); whoever drops it unanswered calls {@link #release}.
 */
public final class ByteBufRecords implements BaseRecords {
    private final ByteBuf payload;
    private boolean taken;

    /** Takes over one reference of {@code payload}; its readable bytes must be whole record batches and stay unchanged. */
    public ByteBufRecords(ByteBuf payload) {
        this.payload = payload;
    }

    /** A look at the bytes; the reference stays here. */
    public ByteBuf payload() {
        return payload;
    }

    /** Gives the reference up, unless the network has already taken it. */
    public void release() {
        if (!taken) {
            taken = true;
            payload.release();
        }
    }

    /** The reference changes hands: the caller releases it. */
    ByteBuf take() {
        if (taken) {
            throw new IllegalStateException("these records were already written or released");
        }
        taken = true;
        return payload;
    }

    @Override
    public int sizeInBytes() {
        return payload.readableBytes();
    }

    /** For Kafka's own serialisation (tools and tests); leaves the reference where it is. */
    @Override
    public RecordsSend<ByteBufRecords> toSend() {
        return new PayloadSend(this);
    }

    private static final class PayloadSend extends RecordsSend<ByteBufRecords> {
        PayloadSend(ByteBufRecords records) {
            super(records, records.sizeInBytes());
        }

        @Override
        protected int writeTo(TransferableChannel channel, int previouslyWritten, int remaining) throws IOException {
            ByteBuf payload = records().payload;
            return (int) channel.write(payload.nioBuffers(payload.readerIndex() + previouslyWritten, remaining));
        }
    }
}
