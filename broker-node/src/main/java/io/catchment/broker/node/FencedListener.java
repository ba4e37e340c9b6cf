package io.catchment.broker.node;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Authority;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import java.util.List;
import java.util.function.Consumer;

/** Hears from the WAL's replicas that this node's epoch is over, often before the control plane says so. Immutable. */
final class FencedListener implements WalListener {
    private final Consumer<String> fenced;

    FencedListener(Consumer<String> fenced) {
        this.fenced = fenced;
    }

    @Override
    public void authority(Lane lane, Authority authority, String reason) {
        if (authority == Authority.FENCED) {
            fenced.accept("lane " + lane + " is fenced: " + reason);
        }
    }

    @Override
    public void acknowledged(Lane lane, List<Acknowledged> group) {}

    @Override
    public void rollDue(Lane lane, long extentId) {}

    @Override
    public void sealed(Lane lane, long extentId, long length) {}

    @Override
    public void laneState(Lane lane, boolean accepting, String reason) {}
}
