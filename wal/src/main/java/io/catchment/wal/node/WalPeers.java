package io.catchment.wal.node;

import io.catchment.wal.link.Network;
import io.catchment.wal.remote.RemoteConfig;

/** The way to the other nodes' WALs. The WAL ends its own connections when it closes; the network belongs to the caller. */
public record WalPeers(RemoteConfig config, Network network) {}
