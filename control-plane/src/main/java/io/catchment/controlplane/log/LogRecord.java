package io.catchment.controlplane.log;

import io.catchment.controlplane.proto.Record;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/** One record of the control log: Kafka's where Kafka has one, else ours. */
public sealed interface LogRecord {

    /** One of Kafka's metadata records. */
    record Kafka(ApiMessageAndVersion message) implements LogRecord {}

    /** One of the records in records.proto. */
    record Own(Record value) implements LogRecord {}

    static LogRecord kafka(ApiMessage message, short version) {
        return new Kafka(new ApiMessageAndVersion(message, version));
    }

    static LogRecord own(Record.Builder value) {
        return new Own(value.build());
    }
}
