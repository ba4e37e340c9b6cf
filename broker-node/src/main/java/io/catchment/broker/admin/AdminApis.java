package io.catchment.broker.admin;

import io.catchment.broker.clientadmin.AlterClientQuotasHandler;
import io.catchment.broker.clientadmin.AlterUserScramCredentialsHandler;
import io.catchment.broker.clientadmin.DescribeClientQuotasHandler;
import io.catchment.broker.clientadmin.DescribeUserScramCredentialsHandler;
import io.catchment.broker.clientadmin.NoAuthorizerHandler;
import io.catchment.broker.clientadmin.NoDelegationTokensHandler;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.configadmin.AlterConfigsHandler;
import io.catchment.broker.configadmin.ConfigAlterations;
import io.catchment.broker.configadmin.DescribeConfigsHandler;
import io.catchment.broker.configadmin.GroupSchema;
import io.catchment.broker.configadmin.IncrementalAlterConfigsHandler;
import io.catchment.broker.configadmin.ListConfigResourcesHandler;
import io.catchment.broker.configadmin.NodeSettings;
import io.catchment.broker.election.ElectLeadersHandler;
import io.catchment.broker.logdirs.AlterReplicaLogDirsHandler;
import io.catchment.broker.logdirs.DescribeLogDirsHandler;
import io.catchment.broker.logdirs.LogDirectory;
import io.catchment.broker.metadata.DescribeClusterHandler;
import io.catchment.broker.metadata.DescribeTopicPartitionsHandler;
import io.catchment.broker.metadata.MetadataHandler;
import io.catchment.broker.producerid.ProducerIds;
import io.catchment.broker.quorum.DescribeQuorumHandler;
import io.catchment.broker.quorum.UnregisterBrokerHandler;
import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.reassignment.AlterPartitionReassignmentsHandler;
import io.catchment.broker.reassignment.ListPartitionReassignmentsHandler;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.broker.topicadmin.CreatePartitionsHandler;
import io.catchment.broker.topicadmin.CreateTopicsHandler;
import io.catchment.broker.topicadmin.DeleteTopicsHandler;
import io.catchment.broker.topicadmin.StreamsTopicCreator;
import io.catchment.broker.topicadmin.TopicAdminConfig;
import io.catchment.broker.topicadmin.TopicAutoCreator;
import io.catchment.broker.transaction.TransactionTopic;
import io.catchment.controlplane.ControlPlane;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * The administrative APIs of one node, over its view of the control plane. Immutable; handlers are thread-safe.
 *
 * @param handlers one per API
 * @param autoCreator for the owners of internal topics: {@code createInternal}
 */
public record AdminApis(
        List<ApiHandler> handlers,
        TopicAutoCreator autoCreator,
        StreamsTopicCreator streamsTopics,
        ProducerIds producerIds) {
    /** Kafka's default of max.request.partition.size.limit. */
    private static final int DESCRIBE_PARTITIONS_MAX = 2000;

    public AdminApis {
        handlers = List.copyOf(handlers);
    }

    /**
     * @param lookups where waiting for a name server harms nobody
     * @param nodeEpoch of this node's present registration
     */
    public static AdminApis of(
            ControlPlane controlPlane, NodeConfig node, ClientQuotas quotas, Executor lookups, LongSupplier nodeEpoch) {
        TopicSchema topics = node.topics().schema();
        GroupSchema groups =
                new GroupSchema(node.groups().coordinator(), node.groups().share());
        TopicAdminConfig config = new TopicAdminConfig(
                node.topics().partitions(),
                (short) node.topics().replicationFactor(),
                node.topics().autoCreate(),
                TopicAdminConfig.offsetsTopic(node.groups().coordinator()),
                TransactionTopic.topic(node.transactions()),
                node.shares().topic());
        NodeSettings settings = new NodeSettings(node.nodeId(), NodeConfig.keys(), node.written());
        LogDirectory directory = new LogDirectory(node.nodeId(), node.walDirectory());
        ConfigAlterations alterations = new ConfigAlterations(controlPlane, topics, groups, node.nodeId());
        TopicAutoCreator autoCreator = new TopicAutoCreator(controlPlane, config);
        return new AdminApis(
                List.of(
                        new MetadataHandler(
                                controlPlane,
                                autoCreator,
                                config.autoCreateTopics(),
                                node.reads().nearest()),
                        new DescribeTopicPartitionsHandler(controlPlane, DESCRIBE_PARTITIONS_MAX),
                        new DescribeClusterHandler(
                                controlPlane, Set.of(node.listeners().controllerName())),
                        new CreateTopicsHandler(controlPlane, topics, config, quotas),
                        new DeleteTopicsHandler(controlPlane, quotas),
                        new CreatePartitionsHandler(controlPlane, quotas),
                        new DescribeConfigsHandler(controlPlane, topics, groups, settings),
                        new AlterConfigsHandler(alterations),
                        new IncrementalAlterConfigsHandler(alterations),
                        new ListConfigResourcesHandler(controlPlane),
                        new DescribeClientQuotasHandler(controlPlane),
                        new AlterClientQuotasHandler(controlPlane, lookups),
                        new DescribeUserScramCredentialsHandler(controlPlane),
                        new AlterUserScramCredentialsHandler(controlPlane),
                        new NoAuthorizerHandler(ApiKeys.DESCRIBE_ACLS),
                        new NoAuthorizerHandler(ApiKeys.CREATE_ACLS),
                        new NoAuthorizerHandler(ApiKeys.DELETE_ACLS),
                        new NoDelegationTokensHandler(ApiKeys.CREATE_DELEGATION_TOKEN),
                        new NoDelegationTokensHandler(ApiKeys.RENEW_DELEGATION_TOKEN),
                        new NoDelegationTokensHandler(ApiKeys.EXPIRE_DELEGATION_TOKEN),
                        new NoDelegationTokensHandler(ApiKeys.DESCRIBE_DELEGATION_TOKEN),
                        new AlterPartitionReassignmentsHandler(controlPlane),
                        new ListPartitionReassignmentsHandler(controlPlane),
                        new DescribeLogDirsHandler(controlPlane, directory),
                        new AlterReplicaLogDirsHandler(controlPlane, directory),
                        new ElectLeadersHandler(controlPlane),
                        new DescribeQuorumHandler(controlPlane),
                        new UnregisterBrokerHandler(controlPlane)),
                autoCreator,
                new StreamsTopicCreator(autoCreator, topics, config),
                new ProducerIds(controlPlane, node.nodeId(), nodeEpoch));
    }
}
