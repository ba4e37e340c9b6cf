package io.catchment.chaos.history;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Makes any stock producer (kafka-producer-perf-test) keep a record: stamps what it sends and writes each acknowledgement to
 * the file named by {@code chaos.ack.file}. Runs on the class path of Kafka's tools and uses nothing but the client.
 */
public final class AckInterceptor implements ProducerInterceptor<byte[], byte[]> {
    public static final String FILE_CONFIG = "chaos.ack.file";
    private final AtomicLong sequence = new AtomicLong();
    private @Nullable AckFile file;

    @Override
    public void configure(Map<String, ?> configs) {
        try {
            file = new AckFile(Path.of(String.valueOf(configs.get(FILE_CONFIG))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> message) {
        // perf-test sends the same record object again and again: its headers must not grow
        var fresh = new ProducerRecord<>(
                message.topic(), message.partition(), message.timestamp(), message.key(), message.value());
        Stamp.of(0, sequence.getAndIncrement(), message.value()).writeTo(fresh.headers());
        return fresh;
    }

    @Override
    public void onAcknowledgement(
            @Nullable RecordMetadata metadata, @Nullable Exception exception, @Nullable Headers headers) {
        AckFile acks = file;
        Stamp stamp = headers == null ? null : Stamp.readFrom(headers);
        if (acks == null || stamp == null) {
            return;
        }
        try {
            if (exception != null || metadata == null) {
                acks.failed(stamp.sequence());
            } else {
                acks.acknowledged(metadata.partition(), metadata.offset(), stamp.sequence(), stamp.crc());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Adds a finished (or running) producer's acknowledgements to a log; returns the number of failed sends. */
    public static long load(Path file, int producer, AckLog into) throws IOException {
        return AckFile.load(file, producer, into);
    }

    /** Roughly how many acknowledgements a running producer has had. */
    public static long progress(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) / AckFile.ENTRY_BYTES : 0;
    }
}
