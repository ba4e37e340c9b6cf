package io.catchment.broker.node;

import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.flush.ObjectUploader;
import io.catchment.broker.flush.ReapHorizon;
import io.catchment.broker.network.BoundListener;
import io.catchment.broker.network.EventLoops;
import io.catchment.broker.observe.CompactionMeters;
import io.catchment.broker.observe.FlushMeters;
import io.catchment.broker.observe.ManifestMeters;
import io.catchment.broker.observe.MergeMeters;
import io.catchment.broker.observe.NearMeters;
import io.catchment.broker.observe.NodeMetrics;
import io.catchment.broker.observe.Readiness;
import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.read.ReadBudgets;
import io.catchment.broker.telemetry.ClientTelemetry;
import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.cache.CachedObjectReader;
import io.catchment.objectstore.transfer.ObjectTransfers;
import io.catchment.objectstore.transfer.TransferClass;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What a node has from its start to its end, whatever becomes of its epochs.
 *
 * @param transfers of the object store, which only its owner changes
 * @param horizon up to which doomed objects may be deleted
 * @param lookups where waiting for a name server harms nobody
 */
record NodeParts(
        NodeConfig config,
        String clusterId,
        EventLoops loops,
        NodeMetrics metrics,
        FlushMeters flushMeters,
        MergeMeters mergeMeters,
        CompactionMeters compactionMeters,
        ManifestMeters manifestMeters,
        NearMeters nearMeters,
        Readiness.Condition serving,
        LaneReadiness lanes,
        ControlPlane controlPlane,
        List<BoundListener> clientListeners,
        ClientAccess clients,
        ClientQuotas quotas,
        ClientTelemetry telemetry,
        ObjectTransfers transfers,
        ReapHorizon horizon,
        ObjectUploader uploader,
        CachedObjectReader objects,
        ReadBudgets readBudgets,
        Executor searches,
        Executor lookups,
        ScheduledExecutorService timer) {

    /** For work that nobody waits for. */
    ObjectStore store() {
        return transfers.of(TransferClass.BACKGROUND);
    }
}
