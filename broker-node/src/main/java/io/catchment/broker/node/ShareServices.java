package io.catchment.broker.node;

import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.coordinatorlog.CoordinatorTopic;
import io.catchment.broker.fetch.FetchQuota;
import io.catchment.broker.fetch.ListOffsetsHandler;
import io.catchment.broker.group.GroupCoordinatorHost;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.share.GroupRules;
import io.catchment.broker.share.ShareGroups;
import io.catchment.broker.share.api.ShareApis;
import io.catchment.broker.share.state.ShareCoordinatorHost;
import io.catchment.broker.share.state.ShareStateTopic;
import io.catchment.broker.share.state.StatePersister;
import io.catchment.broker.share.state.api.ShareStateApis;
import io.catchment.controlplane.Command;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.share.persister.Persister;

/** Share groups in one epoch of a node: their coordinator and what serves their members. */
final class ShareServices {
    private final NodeConfig config;
    private final EpochControlPlane controlPlane;
    private final OwnedPartitions owned;
    private final StreamReader reader;
    private final Closers closers;
    private final ShareStateTopic topic;
    private final StatePersister persister;

    ShareServices(
            NodeConfig config,
            EpochControlPlane controlPlane,
            OwnedPartitions owned,
            StreamReader reader,
            CoordinatorTopic.Creator creator,
            String peerListener,
            Closers closers) {
        this.config = config;
        this.controlPlane = controlPlane;
        this.owned = owned;
        this.reader = reader;
        this.closers = closers;
        this.topic = new ShareStateTopic(controlPlane::image, creator, config.shares());
        this.persister = closers.add(
                "share persister",
                new StatePersister(config.nodeId(), topic, controlPlane::image, peerListener, Time.SYSTEM));
    }

    Persister persister() {
        return persister.persister();
    }

    ShareStateTopic topic() {
        return topic;
    }

    /** Before this node's streams are opened; it is to be started after. */
    ShareCoordinatorHost coordinator(long nodeEpoch) {
        ShareCoordinatorHost host = closers.add(
                "share coordinator",
                new ShareCoordinatorHost(
                        config.nodeId(),
                        config.shares(),
                        new ShareCoordinatorHost.Parts(
                                topic,
                                controlPlane::image,
                                owned,
                                owned,
                                reader,
                                (partition, offset) -> cut(partition, offset, nodeEpoch),
                                config.groups().maxBatchBytes(),
                                Time.SYSTEM)));
        owned.addListener(new StateTopicFeed(
                Topic.SHARE_GROUP_STATE_TOPIC_NAME, host::onPartitionOpened, host::onPartitionClosed));
        return host;
    }

    private CompletionStage<Void> cut(PartitionView partition, long offset, long nodeEpoch) {
        return controlPlane
                .submit(new Command.TrimStreams(
                        config.nodeId(), nodeEpoch, List.of(new Command.Trim(partition.streamId(), offset))))
                .thenAccept(trimmed -> {});
    }

    List<ApiHandler> handlers(
            ShareCoordinatorHost host,
            GroupCoordinatorHost groups,
            ListOffsetsHandler offsets,
            FetchQuota quota,
            MeterRegistry meters) {
        SerialThread thread = new SerialThread("share-groups");
        ShareGroups members = closers.add(
                "share groups",
                new ShareGroups(
                        new ShareGroups.Parts(
                                config.nodeId(),
                                owned,
                                controlPlane::image,
                                reader,
                                offsets::firstAtOrAfter,
                                persister(),
                                new GroupRules(
                                        groups.groupConfigs(), config.groups().share()),
                                config.reads().fetch().responseBytesMax(),
                                quota),
                        thread));
        closers.add("share groups thread", thread);
        closers.add("share meters", BoundMeters.bind(members.meters(), meters));
        List<ApiHandler> handlers = new ArrayList<>(ShareStateApis.handlers(host.coordinator()));
        handlers.addAll(ShareApis.handlers(members));
        return handlers;
    }
}
