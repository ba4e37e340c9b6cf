package io.catchment.broker.node;

import io.catchment.broker.admin.AdminApis;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.fetch.FetchHandler;
import io.catchment.broker.fetch.ListOffsetsHandler;
import io.catchment.broker.fetch.OffsetForLeaderEpochHandler;
import io.catchment.broker.group.ClusterOffsets;
import io.catchment.broker.group.GroupCoordinatorHost;
import io.catchment.broker.group.api.GroupApis;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.near.NearPartitions;
import io.catchment.broker.near.NearReads;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.broker.produce.ProduceHandler;
import io.catchment.broker.produce.RequiredCopies;
import io.catchment.broker.producerid.InitProducerIdHandler;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.request.ApiTable;
import io.catchment.broker.request.NodeDescription;
import io.catchment.broker.retention.DeleteRecordsHandler;
import io.catchment.broker.retention.Retention;
import io.catchment.broker.share.state.ShareCoordinatorHost;
import io.catchment.broker.telemetry.TelemetryApis;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.transaction.TransactionHost;
import io.catchment.broker.transaction.TransactionTopic;
import io.catchment.broker.transaction.api.TransactionApis;
import io.catchment.broker.transaction.api.TransactionalIdentities;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntSupplier;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.Time;

/**
 * What clients are served by in one epoch: the coordinators of groups, transactions and share groups, and a handler for each API. Used once, by
 * the thread that begins the epoch.
 */
final class ClientServices {
    private final NodeParts parts;
    private final NodeConfig config;
    private final AdminApis admin;
    private final EpochControlPlane controlPlane;
    private final Streams streams;
    private final IntSupplier copies;
    private final Closers closers;
    private final String peerListener;

    /** What there is to serve. */
    record Streams(
            StreamExtents extents,
            LayeredStreamReader reader,
            OwnedPartitions owned,
            TransactionTopic transactions,
            PeerRequests peers) {}

    /** @param copies on how many nodes an extent can lie now; negative while that is not known */
    ClientServices(
            NodeParts parts,
            AdminApis admin,
            EpochControlPlane controlPlane,
            Streams streams,
            IntSupplier copies,
            Closers closers) {
        this.parts = parts;
        this.config = parts.config();
        this.admin = admin;
        this.controlPlane = controlPlane;
        this.streams = streams;
        this.copies = copies;
        this.closers = closers;
        this.peerListener = config.listeners().peers();
    }

    /** The coordinators first, then the streams this node owns, then clients. */
    void serve(long epoch, EpochEnd end) throws Exception {
        OwnedPartitions owned = streams.owned();
        ShareServices shares = new ShareServices(
                config,
                controlPlane,
                owned,
                streams.reader(),
                admin.autoCreator()::createInternal,
                peerListener,
                closers);
        GroupCoordinatorHost groups = groups(shares);
        TransactionHost transactions = transactions();
        ShareCoordinatorHost shareCoordinator = shares.coordinator(epoch);
        end.await(owned.start(epoch));
        groups.start(controlPlane.image());
        transactions.start();
        shareCoordinator.start(controlPlane.image());
        controlPlane.subscribe(groups::onImage);
        controlPlane.subscribe(shareCoordinator::onImage);

        TopicConfigs configs = TopicConfigs.of(controlPlane, config.topics().schema());
        List<ApiHandler> handlers = handlers(groups, transactions, shares, shareCoordinator, nearReads(configs, epoch));
        var required = new RequiredCopies(topic -> configs.forTopic(topic).minInsyncReplicas(), copies);
        handlers.add(new ProduceHandler(owned, controlPlane::image, Time.SYSTEM, parts.quotas(), required));
        handlers.add(new DeleteRecordsHandler(owned, controlPlane, configs::forTopic, config.nodeId(), epoch));
        retain(configs, epoch);
        parts.clients()
                .serve(ApiTable.of(
                        NodeDescription.of(config.nodeId(), controlPlane.image().clusterId()), handlers));
    }

    private GroupCoordinatorHost groups(ShareServices shares) {
        OwnedPartitions owned = streams.owned();
        GroupCoordinatorHost groups = closers.add(
                "group coordinator",
                new GroupCoordinatorHost(
                        config.nodeId(),
                        config.groups(),
                        controlPlane::image,
                        admin.autoCreator()::createInternal,
                        owned,
                        owned,
                        streams.reader(),
                        shares.persister(),
                        new ClusterOffsets(owned, controlPlane::image, streams.peers(), peerListener),
                        Time.SYSTEM));
        closers.add(
                "group meters",
                BoundMeters.bind(groups.meters(), parts.metrics().registry()));
        owned.addListener(new StateTopicFeed(
                Topic.GROUP_METADATA_TOPIC_NAME, groups::onPartitionOpened, groups::onPartitionClosed));
        return groups;
    }

    private TransactionHost transactions() {
        OwnedPartitions owned = streams.owned();
        TransactionHost transactions = closers.add(
                "transaction coordinator",
                new TransactionHost(
                        config.transactions(),
                        new TransactionHost.Parts(
                                streams.transactions(),
                                controlPlane::image,
                                admin.producerIds()::next,
                                owned,
                                owned,
                                streams.reader(),
                                streams.peers(),
                                peerListener,
                                Time.SYSTEM),
                        closers.add("transactions thread", new SerialThread("transactions"))));
        owned.addListener(new StateTopicFeed(
                Topic.TRANSACTION_STATE_TOPIC_NAME,
                (partition, leaderEpoch) -> transactions.onPartitionOpened(partition),
                transactions::onPartitionClosed));
        return transactions;
    }

    private List<ApiHandler> handlers(
            GroupCoordinatorHost groups,
            TransactionHost transactions,
            ShareServices shares,
            ShareCoordinatorHost shareCoordinator,
            NearReads near) {
        OwnedPartitions owned = streams.owned();
        LayeredStreamReader reader = streams.reader();
        List<ApiHandler> handlers = new ArrayList<>(admin.handlers());
        handlers.addAll(GroupApis.handlers(
                groups.coordinator(),
                groups.offsetsTopic(),
                streams.transactions()::coordinatorOf,
                admin.streamsTopics()::create,
                shares.topic()::coordinatorOf,
                controlPlane::image));
        handlers.addAll(TransactionApis.handlers(
                transactions.coordinator(), groups.coordinator(), owned, controlPlane::image, Time.SYSTEM));
        handlers.add(new InitProducerIdHandler(
                admin.producerIds(), new TransactionalIdentities(transactions.coordinator())));
        handlers.add(new FetchHandler(
                owned, reader, controlPlane::image, Time.SYSTEM, config.reads().fetch(), parts.quotas(), near));
        ListOffsetsHandler offsets = new ListOffsetsHandler(
                owned, reader, streams.extents(), parts.objects(), controlPlane::image, parts.searches());
        handlers.add(offsets);
        handlers.addAll(shares.handlers(
                shareCoordinator,
                groups,
                offsets,
                parts.quotas(),
                parts.metrics().registry()));
        handlers.add(new OffsetForLeaderEpochHandler(owned, controlPlane::image));
        handlers.addAll(TelemetryApis.handlers(parts.telemetry(), parts.searches()));
        return handlers;
    }

    private NearReads nearReads(TopicConfigs configs, long epoch) {
        if (!config.reads().nearest()) {
            return NearReads.NONE;
        }
        return closers.add(
                "near reads",
                NearPartitions.start(
                        config.nodeId(),
                        epoch,
                        config.zone(),
                        controlPlane,
                        streams.extents(),
                        topic -> configs.forTopic(topic).lane(),
                        peerListener,
                        parts.nearMeters()));
    }

    private void retain(TopicConfigs configs, long epoch) {
        Retention retention = closers.add(
                "retention",
                new Retention(
                        controlPlane,
                        config.nodeId(),
                        epoch,
                        configs::forTopic,
                        parts.objects(),
                        config.topics().retentionCheckMs(),
                        closers.add("retention thread", new SerialThread("retention")),
                        new SplittableRandom()));
        retention.start();
    }
}
