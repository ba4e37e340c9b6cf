package io.catchment.broker.request;

import io.catchment.broker.network.Request;
import io.catchment.broker.network.RequestHandler;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * Which handler answers which Kafka API. Immutable. What is not in the table is absent from the ApiVersions answer, and a
 * request for it closes its connection, as in Kafka.
 */
public final class ApiTable implements RequestHandler {
    private final Map<ApiKeys, ApiHandler> handlers;

    private ApiTable(Map<ApiKeys, ApiHandler> handlers) {
        this.handlers = handlers;
    }

    /** The handlers and, beside them, one for ApiVersions that tells of all of them. */
    public static ApiTable of(NodeDescription node, Collection<? extends ApiHandler> handlers) {
        Map<ApiKeys, ApiHandler> table = new EnumMap<>(ApiKeys.class);
        for (ApiHandler handler : handlers) {
            add(table, handler);
        }
        add(table, new ApiVersionsHandler(node, () -> versionsOf(table)));
        return new ApiTable(Collections.unmodifiableMap(table));
    }

    private static void add(Map<ApiKeys, ApiHandler> table, ApiHandler handler) {
        ApiHandler other = table.putIfAbsent(handler.api(), handler);
        if (other != null) {
            throw new IllegalArgumentException(handler.api() + " has two handlers: " + other + " and " + handler);
        }
        if (served(handler.api()).isEmpty()) {
            throw new IllegalArgumentException(
                    handler.api() + " has no stable version to serve on a broker's listener");
        }
    }

    /** All stable versions that the protocol library knows of each API in the table. */
    public ApiVersionCollection versions() {
        return versionsOf(handlers);
    }

    private static ApiVersionCollection versionsOf(Map<ApiKeys, ApiHandler> table) {
        ApiVersionCollection versions = new ApiVersionCollection(table.size());
        for (ApiKeys api : table.keySet()) {
            served(api).ifPresent(versions::add);
        }
        return versions;
    }

    /** Kafka's own range for a broker's answer, with its concessions to old clients (Produce: KAFKA-18659). */
    private static Optional<ApiVersion> served(ApiKeys api) {
        return api.toApiVersionForApiResponse(false, ListenerType.BROKER);
    }

    @Override
    public boolean accepts(ApiKeys api, short version) {
        return handlers.containsKey(api) && api.isVersionEnabled(version, false);
    }

    @Override
    public void handle(Request request) {
        ApiHandler handler = handlers.get(request.header().apiKey());
        if (handler == null) {
            throw new IllegalStateException("no handler for " + request.header() + ", which accepts() refuses");
        }
        handler.handle(request);
    }
}
