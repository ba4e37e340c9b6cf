package io.catchment.controlplane.log;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.catchment.controlplane.proto.Record;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.serialization.RecordSerde;

/**
 * The envelope of a record: one byte says whose record follows (1 Kafka's with its own frame version, type and version; 2 ours
 * in protobuf), then the record to the end. A byte that is not known stops the reader: a node must not skip what others applied.
 */
public final class LogRecordSerde implements RecordSerde<LogRecord> {
    public static final LogRecordSerde INSTANCE = new LogRecordSerde();

    private static final byte KAFKA = 1;
    private static final byte OWN = 2;

    @Override
    public int recordSize(LogRecord record, ObjectSerializationCache cache) {
        if (record instanceof LogRecord.Kafka kafka) {
            return 1 + MetadataRecordSerde.INSTANCE.recordSize(kafka.message(), cache);
        }
        return 1 + ((LogRecord.Own) record).value().getSerializedSize();
    }

    @Override
    public void write(LogRecord record, ObjectSerializationCache cache, Writable out) {
        if (record instanceof LogRecord.Kafka kafka) {
            out.writeByte(KAFKA);
            MetadataRecordSerde.INSTANCE.write(kafka.message(), cache, out);
        } else {
            out.writeByte(OWN);
            out.writeByteArray(bytes(((LogRecord.Own) record).value()));
        }
    }

    @Override
    public LogRecord read(Readable in, int size) {
        byte kind = in.readByte();
        return switch (kind) {
            case KAFKA -> new LogRecord.Kafka(MetadataRecordSerde.INSTANCE.read(in, size - 1));
            case OWN -> new LogRecord.Own(parse(in.readArray(size - 1)));
            default ->
                throw new IllegalStateException("control log: unknown kind of record " + kind
                        + "; it was written by a newer version, upgrade this node");
        };
    }

    private static byte[] bytes(Record value) {
        byte[] bytes = new byte[value.getSerializedSize()];
        try {
            value.writeTo(CodedOutputStream.newInstance(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes;
    }

    private static Record parse(byte[] bytes) {
        try {
            return Record.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException("control log: a record of ours cannot be read", e);
        }
    }
}
