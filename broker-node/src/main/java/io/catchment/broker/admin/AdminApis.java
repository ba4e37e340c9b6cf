package io.catchment.broker.admin;

import io.catchment.broker.configadmin.DescribeConfigsHandler;
import io.catchment.broker.configadmin.GroupSchema;
import io.catchment.broker.configadmin.IncrementalAlterConfigsHandler;
import io.catchment.broker.configadmin.NodeSettings;
import io.catchment.broker.metadata.DescribeClusterHandler;
import io.catchment.broker.metadata.DescribeTopicPartitionsHandler;
import io.catchment.broker.metadata.MetadataHandler;
import io.catchment.broker.producerid.InitProducerIdHandler;
import io.catchment.broker.producerid.ProducerIds;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.broker.topicadmin.CreatePartitionsHandler;
import io.catchment.broker.topicadmin.CreateTopicsHandler;
import io.catchment.broker.topicadmin.DeleteTopicsHandler;
import io.catchment.broker.topicadmin.TopicAdminConfig;
import io.catchment.broker.topicadmin.TopicAutoCreator;
import io.catchment.controlplane.ControlPlane;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;

/**
 * The administrative APIs of one node, over its view of the control plane. Immutable; handlers are thread-safe.
 *
 * @param handlers one per API
 * @param autoCreator for the owners of internal topics: {@code createInternal}
 */
public record AdminApis(List<ApiHandler> handlers, TopicAutoCreator autoCreator) {
    public AdminApis {
        handlers = List.copyOf(handlers);
    }

    /**
     * @param node the node's configuration, as DescribeConfigs shows it
     * @param topics shared with the produce path's TopicConfigs
     * @param controllerListeners controller.listener.names: there DescribeCluster tells of controllers
     * @param describePartitionsMax max.request.partition.size.limit
     * @param nodeEpoch of this node's present registration
     */
    public static AdminApis of(
            ControlPlane controlPlane,
            NodeSettings node,
            TopicSchema topics,
            TopicAdminConfig config,
            GroupCoordinatorConfig groups,
            ShareGroupConfig shareGroups,
            Set<String> controllerListeners,
            int describePartitionsMax,
            LongSupplier nodeEpoch) {
        GroupSchema groupSchema = new GroupSchema(groups, shareGroups);
        TopicAutoCreator autoCreator = new TopicAutoCreator(controlPlane, config);
        return new AdminApis(
                List.of(
                        new MetadataHandler(controlPlane, autoCreator, config.autoCreateTopics()),
                        new DescribeTopicPartitionsHandler(controlPlane, describePartitionsMax),
                        new DescribeClusterHandler(controlPlane, controllerListeners),
                        new CreateTopicsHandler(controlPlane, topics, config),
                        new DeleteTopicsHandler(controlPlane, config),
                        new CreatePartitionsHandler(controlPlane),
                        new DescribeConfigsHandler(controlPlane, topics, groupSchema, node),
                        new IncrementalAlterConfigsHandler(controlPlane, topics, groupSchema),
                        new InitProducerIdHandler(new ProducerIds(controlPlane, node.nodeId(), nodeEpoch))),
                autoCreator);
    }
}
