package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.proto.ManifestPublished;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ClusterState;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/**
 * C4 from record to record, with a memory that the state does not have: an object is in the state, or a manifest's own, or forgotten, and goes from
 * one to the other only by the records that say so. Owned by the test's thread.
 */
final class ManifestCheck {
    private final Set<Long> owned = new HashSet<>();
    private final Set<Long> forgotten = new HashSet<>();
    private int moves;
    private int releases;

    int moves() {
        return moves;
    }

    int releases() {
        return releases;
    }

    void record(Record record, ClusterState before) {
        switch (record.getKindCase()) {
            case MANIFEST_PUBLISHED -> {
                moves++;
                ManifestPublished published = record.getManifestPublished();
                var catalog = Objects.requireNonNull(before.streams().get(published.getStreamId()))
                        .catalog();
                for (StreamRange range : catalog.subList(0, published.getTaken())) {
                    var object = Objects.requireNonNull(before.objects().get(range.objectId()));
                    assertThat(object.phase()).isEqualTo(Phase.PUBLISHED);
                    assertThat(object.references()).isOne();
                    assertThat(owned.add(range.objectId())).isTrue();
                }
            }
            case MANIFEST_RELEASED -> {
                releases++;
                record.getManifestReleased().getObjectIdsList().forEach(id -> assertThat(owned.remove(id))
                        .as("object %d was a manifest's own", id)
                        .isTrue());
            }
            case OBJECTS_FORGOTTEN ->
                forgotten.addAll(record.getObjectsForgotten().getObjectIdsList());
            default -> {
                // Moves no object into or out of the state
            }
        }
    }

    /** After a batch: every id that was ever given out is in one place. */
    void state(ClusterState state) {
        for (long id = 1; id < state.nextObjectId(); id++) {
            int places = (state.objects().containsKey(id) ? 1 : 0)
                    + (owned.contains(id) ? 1 : 0)
                    + (forgotten.contains(id) ? 1 : 0);
            assertThat(places).as("object %d", id).isOne();
        }
        int listed = 0;
        for (ManifestRef manifest : state.retired().values()) {
            listed += manifest.ranges();
        }
        for (var stream : state.streams().values()) {
            listed += stream.manifests().stream().mapToInt(ManifestRef::ranges).sum();
        }
        assertThat(owned).hasSize(listed);
    }
}
