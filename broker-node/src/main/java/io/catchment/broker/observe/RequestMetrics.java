package io.catchment.broker.observe;

import io.catchment.broker.network.CloseReason;
import io.catchment.broker.network.NetworkObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.jspecify.annotations.Nullable;

/**
 * Requests, bytes, errors and latency by API, and connections. Thread-safe, called on all event loops; an API's meters are
 * made with its first request. A request without errors allocates nothing here, but for the rare APIs' error counts.
 */
public final class RequestMetrics implements NetworkObserver {
    private static final Duration[] LATENCY_BUCKETS = {
        Duration.ofNanos(500_000),
        Duration.ofMillis(1),
        Duration.ofMillis(2),
        Duration.ofMillis(5),
        Duration.ofMillis(10),
        Duration.ofMillis(20),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(200),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofSeconds(2),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30)
    };
    private static final int API_IDS = 256;

    private final MeterRegistry registry;
    private final AtomicReferenceArray<@Nullable ApiMeters> apis = new AtomicReferenceArray<>(API_IDS);
    private final ConcurrentHashMap<ErrorKey, Counter> errors = new ConcurrentHashMap<>();

    private record ErrorKey(ApiKeys api, Errors error) {}

    private record ApiMeters(Counter bytesIn, Counter bytesOut, Timer latency) {}

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void connectionOpened(String listener) {
        registry.counter("catchment.connections.opened", "listener", listener).increment();
    }

    @Override
    public void connectionClosed(String listener, CloseReason reason) {
        registry.counter("catchment.connections.closed", "listener", listener, "reason", lower(reason.name()))
                .increment();
    }

    @Override
    public void requestReceived(ApiKeys api, int bytes) {
        meters(api).bytesIn.increment(bytes);
    }

    @Override
    public void requestAnswered(ApiKeys api, @Nullable AbstractResponse response, int bytes, long nanos) {
        ApiMeters meters = meters(api);
        meters.latency.record(nanos, TimeUnit.NANOSECONDS);
        meters.bytesOut.increment(bytes);
        if (response instanceof ProduceResponse produce) {
            countErrors(api, produce.data());
        } else if (response instanceof FetchResponse fetch) {
            countErrors(api, fetch.data());
        } else if (response != null) {
            response.errorCounts().forEach((error, count) -> countError(api, error, count));
        }
    }

    private void countErrors(ApiKeys api, ProduceResponseData response) {
        for (ProduceResponseData.TopicProduceResponse topic : response.responses()) {
            for (ProduceResponseData.PartitionProduceResponse partition : topic.partitionResponses()) {
                countError(api, partition.errorCode());
            }
        }
    }

    private void countErrors(ApiKeys api, FetchResponseData response) {
        countError(api, response.errorCode());
        for (FetchResponseData.FetchableTopicResponse topic : response.responses()) {
            for (FetchResponseData.PartitionData partition : topic.partitions()) {
                countError(api, partition.errorCode());
            }
        }
    }

    private void countError(ApiKeys api, short code) {
        if (code != 0) {
            countError(api, Errors.forCode(code), 1);
        }
    }

    private void countError(ApiKeys api, Errors error, int count) {
        if (error != Errors.NONE) {
            errors.computeIfAbsent(new ErrorKey(api, error), key -> Counter.builder("catchment.request.errors")
                            .description("Errors answered, by API and error; several per answer if it has parts")
                            .tags("api", key.api.name, "error", key.error.name())
                            .register(registry))
                    .increment(count);
        }
    }

    private ApiMeters meters(ApiKeys api) {
        ApiMeters known = apis.get(api.id);
        if (known == null) {
            // the registry gives the same meters to whoever asks twice
            known = create(api);
            apis.set(api.id, known);
        }
        return known;
    }

    private ApiMeters create(ApiKeys api) {
        return new ApiMeters(
                Counter.builder("catchment.request.received")
                        .description("Request frames by API")
                        .baseUnit("bytes")
                        .tag("api", api.name)
                        .register(registry),
                Counter.builder("catchment.request.sent")
                        .description("Answer frames by API")
                        .baseUnit("bytes")
                        .tag("api", api.name)
                        .register(registry),
                Timer.builder("catchment.request")
                        .description("From the last byte of a request to its answer's turn on the connection, by API;"
                                + " the count is that of requests. Of a fetch, waiting for records is part of it")
                        .tag("api", api.name)
                        .serviceLevelObjectives(LATENCY_BUCKETS)
                        .register(registry));
    }

    private static String lower(String name) {
        return name.toLowerCase(java.util.Locale.ROOT);
    }
}
