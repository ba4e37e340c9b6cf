package io.catchment.controlplane.command;

import com.google.protobuf.ByteString;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.proto.AlterClients;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/** Commands that carry records of Kafka's, on the wire: in the form the log has them. */
final class KafkaRecordCodec {
    private KafkaRecordCodec() {}

    static AlterClients write(Command.AlterClients command) {
        AlterClients.Builder builder = AlterClients.newBuilder();
        command.records().forEach(record -> builder.addRecords(bytes(record)));
        return builder.build();
    }

    static Command.AlterClients read(AlterClients command) {
        return new Command.AlterClients(command.getRecordsList().stream()
                .map(bytes -> MetadataRecordSerde.INSTANCE.read(
                        new ByteBufferAccessor(bytes.asReadOnlyByteBuffer()), bytes.size()))
                .toList());
    }

    private static ByteString bytes(ApiMessageAndVersion record) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(record, cache));
        MetadataRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(buffer));
        return ByteString.copyFrom(buffer.flip());
    }
}
