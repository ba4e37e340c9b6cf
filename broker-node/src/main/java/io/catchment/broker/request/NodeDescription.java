package io.catchment.broker.request;

import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.feature.SupportedVersionRange;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.GroupVersion;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.server.common.ShareVersion;
import org.apache.kafka.server.common.StreamsVersion;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * What this node says of itself when a client connects. Immutable; the finalized features are asked for anew each time, on
 * event loops, so {@code finalized} must be thread-safe and quick.
 *
 * @param supported feature name to the range this node's software can do
 */
public record NodeDescription(
        int nodeId,
        String clusterId,
        Map<String, SupportedVersionRange> supported,
        Supplier<FinalizedFeatures> finalized) {

    public NodeDescription {
        supported = Map.copyOf(supported);
    }

    /** @param epoch grows with every change, -1 while unknown */
    public record FinalizedFeatures(Map<String, Short> levels, long epoch) {
        public FinalizedFeatures {
            levels = Map.copyOf(levels);
        }
    }

    /** With the features of this software, all of them finalized at their newest stable level. */
    public static NodeDescription of(int nodeId, String clusterId) {
        FinalizedFeatures newest = new FinalizedFeatures(newestLevels(), 0);
        return new NodeDescription(nodeId, clusterId, supportedFeatures(), () -> newest);
    }

    /** What a node of this software can do: Kafka's metadata version, the consumer group protocol of KIP-848, the transactions of KIP-890, share groups (KIP-932), streams groups (KIP-1071). */
    public static Map<String, SupportedVersionRange> supportedFeatures() {
        return Map.of(
                MetadataVersion.FEATURE_NAME,
                new SupportedVersionRange(
                        MetadataVersion.MINIMUM_VERSION.featureLevel(),
                        MetadataVersion.latestProduction().featureLevel()),
                GroupVersion.FEATURE_NAME,
                new SupportedVersionRange(
                        Feature.GROUP_VERSION.minimumProduction(), Feature.GROUP_VERSION.latestProduction()),
                TransactionVersion.FEATURE_NAME,
                new SupportedVersionRange(
                        Feature.TRANSACTION_VERSION.minimumProduction(),
                        Feature.TRANSACTION_VERSION.latestProduction()),
                ShareVersion.FEATURE_NAME,
                new SupportedVersionRange(Feature.SHARE_VERSION.minimumProduction(), ShareVersion.SV_1.featureLevel()),
                StreamsVersion.FEATURE_NAME,
                new SupportedVersionRange(
                        Feature.STREAMS_VERSION.minimumProduction(), Feature.STREAMS_VERSION.latestProduction()));
    }

    /** The levels a new cluster starts with. */
    public static Map<String, Short> newestLevels() {
        return Map.of(
                MetadataVersion.FEATURE_NAME,
                MetadataVersion.latestProduction().featureLevel(),
                GroupVersion.FEATURE_NAME,
                Feature.GROUP_VERSION.latestProduction(),
                TransactionVersion.FEATURE_NAME,
                Feature.TRANSACTION_VERSION.latestProduction(),
                // The next one has queues for dead letters
                ShareVersion.FEATURE_NAME,
                ShareVersion.SV_1.featureLevel(),
                StreamsVersion.FEATURE_NAME,
                Feature.STREAMS_VERSION.latestProduction());
    }
}
