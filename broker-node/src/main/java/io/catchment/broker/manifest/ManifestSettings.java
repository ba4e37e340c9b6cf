package io.catchment.broker.manifest;

import io.catchment.broker.merge.MergeSettings;

/**
 * When ranges move to manifests.
 *
 * @param catalogRanges a stream with no more than so many keeps them all in its catalog
 * @param movedMin ranges that are worth a new manifest, or a larger one in its place
 * @param recentRanges of a stream that stay in the catalog whatever they are; at least one
 * @param settledBytes ranges of so many are not merged any more; smaller ones only move when such a one is behind them
 * @param doomedMax objects waiting to be deleted; with more than that no manifest is taken apart
 * @param lookMs between two looks for something to do
 * @param pauseMs between two things done
 * @param objectTtlMs time limit of a manifest's object id
 * @param backoffMs first wait after a failure, doubled with each further one (jittered)
 * @param backoffMaxMs upper bound of that
 */
public record ManifestSettings(
        int catalogRanges,
        int movedMin,
        int recentRanges,
        long settledBytes,
        int doomedMax,
        long lookMs,
        long pauseMs,
        long objectTtlMs,
        long backoffMs,
        long backoffMaxMs) {

    public static final ManifestSettings DEFAULT =
            new ManifestSettings(256, 32, 16, 2L << 20, 10_000, 30_000, 50, 3_600_000, 1_000, 60_000);

    public ManifestSettings {
        if (catalogRanges < 1
                || movedMin < 1
                || recentRanges < 1
                || settledBytes < 1
                || doomedMax < 1
                || lookMs < 1
                || pauseMs < 0
                || objectTtlMs < 1
                || backoffMs < 1
                || backoffMaxMs < backoffMs) {
            throw new IllegalArgumentException("manifest settings out of range");
        }
    }

    /** With the times that a node's configuration has for all rewriting of objects. */
    public ManifestSettings withTimesOf(MergeSettings rewriting) {
        return new ManifestSettings(
                catalogRanges,
                movedMin,
                recentRanges,
                settledBytes,
                doomedMax,
                rewriting.lookMs(),
                pauseMs,
                rewriting.objectTtlMs(),
                backoffMs,
                backoffMaxMs);
    }
}
