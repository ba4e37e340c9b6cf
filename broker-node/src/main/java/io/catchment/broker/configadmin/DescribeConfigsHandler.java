package io.catchment.broker.configadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.DescribeConfigsRequest;
import org.apache.kafka.common.requests.DescribeConfigsResponse;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;

/** DescribeConfigs of topics, groups, client metrics and this node. */
public final class DescribeConfigsHandler implements ApiHandler {
    private final ControlPlane controlPlane;
    private final TopicSchema topics;
    private final GroupSchema groups;
    private final NodeSettings node;

    public DescribeConfigsHandler(
            ControlPlane controlPlane, TopicSchema topics, GroupSchema groups, NodeSettings node) {
        this.controlPlane = controlPlane;
        this.topics = topics;
        this.groups = groups;
        this.node = node;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_CONFIGS;
    }

    @Override
    public void handle(Request request) {
        DescribeConfigsRequestData asked = ((DescribeConfigsRequest) request.body()).data();
        ConfigEntries entries = new ConfigEntries(node, asked.includeSynonyms(), asked.includeDocumentation());
        DescribeConfigsResponseData answer = new DescribeConfigsResponseData();
        ClusterImage image = controlPlane.image();
        for (DescribeConfigsResource resource : asked.resources()) {
            DescribeConfigsResult result;
            try {
                result = new DescribeConfigsResult().setConfigs(describe(resource, entries, image));
            } catch (ApiException e) {
                ApiError error = ApiError.fromThrowable(e);
                result = new DescribeConfigsResult()
                        .setErrorCode(error.error().code())
                        .setErrorMessage(error.message());
            }
            answer.results()
                    .add(result.setResourceName(resource.resourceName()).setResourceType(resource.resourceType()));
        }
        request.respond(new DescribeConfigsResponse(answer));
    }

    private List<DescribeConfigsResourceResult> describe(
            DescribeConfigsResource resource, ConfigEntries entries, ClusterImage image) {
        String name = resource.resourceName();
        return switch (ConfigResource.Type.forId(resource.resourceType())) {
            case TOPIC -> topic(resource, entries, image);
            case GROUP -> group(resource, entries, image);
            case CLIENT_METRICS -> clientMetrics(resource, entries, image);
            case BROKER -> name.isEmpty() ? List.of() : node(resource, entries);
            case BROKER_LOGGER -> {
                if (name.isEmpty()) {
                    throw new InvalidRequestException("Broker id must not be empty");
                }
                checkNode(name, "");
                yield List.of();
            }
            default ->
                throw new InvalidRequestException(
                        "Unsupported resource type: " + ConfigResource.Type.forId(resource.resourceType()));
        };
    }

    private List<DescribeConfigsResourceResult> topic(
            DescribeConfigsResource resource, ConfigEntries entries, ClusterImage image) {
        Topic.validate(resource.resourceName());
        if (image.topic(resource.resourceName()).isEmpty()) {
            throw Errors.UNKNOWN_TOPIC_OR_PARTITION.exception();
        }
        Map<String, String> overrides = image.configs(resource.resourceType(), resource.resourceName());
        return select(
                resource,
                topics.keys().configKeys().values().stream()
                        .filter(key -> !key.internalConfig || overrides.containsKey(key.name)),
                key -> entries.entry(
                        key, overrides.get(key.name), ConfigSource.TOPIC_CONFIG, TopicSchema.synonyms(key.name)));
    }

    private List<DescribeConfigsResourceResult> group(
            DescribeConfigsResource resource, ConfigEntries entries, ClusterImage image) {
        if (resource.resourceName().isEmpty()) {
            throw new InvalidRequestException("Group name must not be empty");
        }
        Map<String, String> overrides = image.configs(resource.resourceType(), resource.resourceName());
        return select(
                resource,
                groups.keys().configKeys().values().stream()
                        .filter(key -> !key.internalConfig || overrides.containsKey(key.name)),
                key -> entries.entry(
                        key, overrides.get(key.name), ConfigSource.GROUP_CONFIG, GroupSchema.synonyms(key.name)));
    }

    private static List<DescribeConfigsResourceResult> clientMetrics(
            DescribeConfigsResource resource, ConfigEntries entries, ClusterImage image) {
        if (resource.resourceName().isEmpty()) {
            throw new InvalidRequestException("Client metrics subscription name must not be empty");
        }
        Map<String, String> overrides = image.configs(resource.resourceType(), resource.resourceName());
        return select(
                resource,
                ClientMetricsConfigs.configDef().configKeys().values().stream(),
                key -> entries.entry(key, overrides.get(key.name), ConfigSource.CLIENT_METRICS_CONFIG, List.of()));
    }

    private List<DescribeConfigsResourceResult> node(DescribeConfigsResource resource, ConfigEntries entries) {
        checkNode(resource.resourceName(), " or empty string");
        return select(
                resource,
                node.keys().configKeys().values().stream().filter(key -> !key.internalConfig),
                entries::nodeEntry);
    }

    private void checkNode(String name, String orElse) {
        int id;
        try {
            id = Integer.parseInt(name);
        } catch (NumberFormatException e) {
            throw new InvalidRequestException("Broker id must be an integer, but it is: " + name, e);
        }
        if (id != node.nodeId()) {
            throw new InvalidRequestException(
                    "Unexpected broker id, expected " + node.nodeId() + orElse + ", but received " + name);
        }
    }

    private static List<DescribeConfigsResourceResult> select(
            DescribeConfigsResource resource,
            Stream<ConfigKey> keys,
            Function<ConfigKey, DescribeConfigsResourceResult> describe) {
        Map<String, DescribeConfigsResourceResult> byName = new TreeMap<>();
        List<String> wanted = resource.configurationKeys();
        keys.filter(key -> wanted == null || wanted.isEmpty() || wanted.contains(key.name))
                .forEach(key -> byName.put(key.name, describe.apply(key)));
        return List.copyOf(byName.values());
    }
}
