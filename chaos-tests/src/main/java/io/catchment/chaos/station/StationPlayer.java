package io.catchment.chaos.station;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends a fleet's readings with an idempotent producer; the site is the key, the event time the record's timestamp. */
final class StationPlayer {
    private StationPlayer() {}

    /**
     * Returns when everything is acknowledged.
     *
     * @param speedup event time over real time; 0: as fast as it goes
     */
    static void play(
            String bootstrap,
            String topic,
            Fleet fleet,
            double speedup,
            Map<String, String> clientConfig,
            Verdict verdict) {
        Map<String, Object> config = new HashMap<>();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 600_000);
        config.putAll(clientConfig);
        long start = System.nanoTime();
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            fleet.play(event -> {
                if (speedup > 0) {
                    pause(start + (long) (TimeUnit.MILLISECONDS.toNanos(event.timeMs() - fleet.startMs()) / speedup));
                }
                byte[] key = event.site().key().getBytes(StandardCharsets.UTF_8);
                byte[] value = event.site().value(fleet.startMs(), event.n());
                var unused = producer.send(
                        new ProducerRecord<>(topic, null, event.timeMs(), key, value), (metadata, exception) -> {
                            if (exception != null) {
                                verdict.violation(
                                        Violation.Kind.FAILED,
                                        "reading " + event.n() + " of "
                                                + event.site().key() + ": " + exception);
                            }
                        });
            });
            producer.flush();
        }
    }

    private static void pause(long untilNanos) {
        for (long wait = untilNanos - System.nanoTime(); wait > 0; wait = untilNanos - System.nanoTime()) {
            LockSupport.parkNanos(wait);
        }
    }
}
