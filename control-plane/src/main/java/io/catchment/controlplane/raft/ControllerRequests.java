package io.catchment.controlplane.raft;

import io.catchment.controlplane.log.LogRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.EndpointType;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.feature.Features;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBrokerCollection;
import org.apache.kafka.common.message.EndQuorumEpochRequestData;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.SendBuilder;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.EndQuorumEpochRequest;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.raft.KafkaRaftClientDriver;
import org.apache.kafka.raft.VoterSet;
import org.apache.kafka.server.common.KRaftVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's requests on the controller listener: the Raft APIs go to the Raft driver; ApiVersions and DescribeCluster, which
 * clients and other controllers ask first, are answered here. Thread-safe.
 */
final class ControllerRequests {
    private static final Logger LOG = LoggerFactory.getLogger(ControllerRequests.class);
    private static final Set<ApiKeys> RAFT = Set.of(
            ApiKeys.VOTE,
            ApiKeys.BEGIN_QUORUM_EPOCH,
            ApiKeys.END_QUORUM_EPOCH,
            ApiKeys.FETCH,
            ApiKeys.FETCH_SNAPSHOT,
            ApiKeys.DESCRIBE_QUORUM,
            ApiKeys.ADD_RAFT_VOTER,
            ApiKeys.REMOVE_RAFT_VOTER,
            ApiKeys.UPDATE_RAFT_VOTER);

    private final String clusterId;
    private final ListenerName listener;
    private final KafkaRaftClientDriver<LogRecord> driver;
    private final Supplier<VoterSet> voters;
    private final Time time;

    ControllerRequests(
            String clusterId,
            ListenerName listener,
            KafkaRaftClientDriver<LogRecord> driver,
            Supplier<VoterSet> voters,
            Time time) {
        this.clusterId = clusterId;
        this.listener = listener;
        this.driver = driver;
        this.voters = voters;
        this.time = time;
    }

    static boolean takes(short apiKey) {
        return apiKey == ApiKeys.API_VERSIONS.id
                || apiKey == ApiKeys.DESCRIBE_CLUSTER.id
                || RAFT.stream().anyMatch(key -> key.id == apiKey);
    }

    /** Fails with an ApiException or a parser's exception when the frame makes no sense: close the connection then. */
    CompletionStage<ByteBuffer> handle(ByteBuffer frame, InetAddress client) {
        RequestHeader header = RequestHeader.parse(frame);
        RequestContext context = context(header, client);
        AbstractRequest request = context.parseRequest(frame).request;
        ApiKeys api = header.apiKey();
        if (api == ApiKeys.API_VERSIONS) {
            return CompletableFuture.completedFuture(apiVersions(context, (ApiVersionsRequest) request));
        } else if (api == ApiKeys.DESCRIBE_CLUSTER) {
            return CompletableFuture.completedFuture(frame(context, describeCluster()));
        } else if (RAFT.contains(api)) {
            return driver.handleRequest(context, header, request.data(), time.milliseconds())
                    .thenApply(response -> frame(context, response));
        }
        throw new UnsupportedVersionException(api + " is not answered on the controller listener");
    }

    private RequestContext context(RequestHeader header, InetAddress client) {
        return new RequestContext(
                header,
                "controller",
                client,
                KafkaPrincipal.ANONYMOUS,
                listener,
                SecurityProtocol.PLAINTEXT,
                ClientInformation.EMPTY,
                false);
    }

    /**
     * What the leader itself would have said had it been able to: that its epoch ends. Raft then asks for votes before votes (KIP-996) at once: voters
     * who hear the leader refuse, those who were refused by it themselves grant.
     */
    void endEpoch(int leaderId, int leaderEpoch, int localId) {
        EndQuorumEpochRequestData request = EndQuorumEpochRequest.singletonRequest(
                Topic.CLUSTER_METADATA_TOPIC_PARTITION, clusterId, leaderEpoch, leaderId, List.of(localId));
        RequestHeader header = new RequestHeader(
                ApiKeys.END_QUORUM_EPOCH, ApiKeys.END_QUORUM_EPOCH.latestVersion(), "refused-by-leader", 0);
        driver.handleRequest(context(header, InetAddress.getLoopbackAddress()), header, request, time.milliseconds())
                .whenComplete((response, failure) -> LOG.debug(
                        "leader {} of epoch {} refuses connections: {}",
                        leaderId,
                        leaderEpoch,
                        failure == null ? response : failure));
    }

    private ByteBuffer apiVersions(RequestContext context, ApiVersionsRequest request) {
        if (request.hasUnsupportedRequestVersion()) {
            return frame(
                    context,
                    request.getErrorResponse(0, Errors.UNSUPPORTED_VERSION.exception())
                            .data());
        }
        if (!request.isValid()) {
            return frame(
                    context,
                    request.getErrorResponse(0, Errors.INVALID_REQUEST.exception())
                            .data());
        }
        ApiVersionCollection apis = new ApiVersionCollection();
        RAFT.forEach(key -> apis.add(ApiVersionsResponse.toApiVersion(key)));
        apis.add(ApiVersionsResponse.toApiVersion(ApiKeys.API_VERSIONS));
        apis.add(ApiVersionsResponse.toApiVersion(ApiKeys.DESCRIBE_CLUSTER));
        ApiVersionsResponse response = new ApiVersionsResponse.Builder()
                .setApiVersions(apis)
                .setAlterFeatureLevel0(context.apiVersion() < 4)
                .setSupportedFeatures(
                        Features.supportedFeatures(Map.of(KRaftVersion.FEATURE_NAME, RaftDirectory.KRAFT_VERSIONS)))
                .setFinalizedFeatures(Map.of(
                        KRaftVersion.FEATURE_NAME,
                        driver.client().kraftVersion().featureLevel()))
                .setFinalizedFeaturesEpoch(0)
                .build();
        return frame(context, response.data());
    }

    private DescribeClusterResponseData describeCluster() {
        DescribeClusterBrokerCollection controllers = new DescribeClusterBrokerCollection();
        for (VoterSet.VoterNode voter : voters.get().voterNodes()) {
            voter.listeners().address(listener).ifPresent(address -> controllers.add(controller(voter, address)));
        }
        return new DescribeClusterResponseData()
                .setClusterId(clusterId)
                .setEndpointType(EndpointType.CONTROLLER.id())
                .setControllerId(driver.client().leaderAndEpoch().leaderId().orElse(-1))
                .setBrokers(controllers);
    }

    private static DescribeClusterBroker controller(VoterSet.VoterNode voter, InetSocketAddress address) {
        return new DescribeClusterBroker()
                .setBrokerId(voter.voterKey().id())
                .setHost(address.getHostString())
                .setPort(address.getPort());
    }

    /** Without the four bytes of length that Kafka puts before it. */
    private static ByteBuffer frame(RequestContext context, ApiMessage response) {
        try {
            ByteBuffer withLength = BufferChannel.collect(
                    SendBuilder.buildResponseSend(context.header.toResponseHeader(), response, context.apiVersion()));
            return withLength.position(Integer.BYTES).slice();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
