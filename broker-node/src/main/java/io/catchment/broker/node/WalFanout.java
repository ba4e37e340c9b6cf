package io.catchment.broker.node;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Authority;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import java.util.ArrayList;
import java.util.List;

/**
 * The WAL's one listener, for the several parts of a node that listen. One of them hears it from the beginning, for other nodes reach its store
 * at once; the others are named after the WAL is open, before lanes are used. Thread-safe.
 */
final class WalFanout implements WalListener {
    private final WalListener first;
    private volatile List<WalListener> listeners;

    WalFanout(WalListener first) {
        this.first = first;
        this.listeners = List.of(first);
    }

    /** Hear it before the first one. */
    void listeners(List<WalListener> others) {
        List<WalListener> all = new ArrayList<>(others);
        all.add(first);
        listeners = List.copyOf(all);
    }

    @Override
    public void acknowledged(Lane lane, List<Acknowledged> group) {
        for (WalListener listener : listeners) {
            listener.acknowledged(lane, group);
        }
    }

    @Override
    public void rollDue(Lane lane, long extentId) {
        for (WalListener listener : listeners) {
            listener.rollDue(lane, extentId);
        }
    }

    @Override
    public void sealed(Lane lane, long extentId, long length) {
        for (WalListener listener : listeners) {
            listener.sealed(lane, extentId, length);
        }
    }

    @Override
    public void laneState(Lane lane, boolean accepting, String reason) {
        for (WalListener listener : listeners) {
            listener.laneState(lane, accepting, reason);
        }
    }

    @Override
    public void authority(Lane lane, Authority authority, String reason) {
        for (WalListener listener : listeners) {
            listener.authority(lane, authority, reason);
        }
    }

    @Override
    public void groupSynced(Lane lane, int frames, long bytes, long writeNanos, long syncNanos) {
        for (WalListener listener : listeners) {
            listener.groupSynced(lane, frames, bytes, writeNanos, syncNanos);
        }
    }
}
