package io.catchment.wal.remote;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.PeerExtents;
import io.catchment.wal.StoreRef;
import io.catchment.wal.link.Network;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.loop.Loops;
import io.catchment.wal.replica.Replica;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** The stores of other nodes, as replicas and to be read. Thread-safe; connections are made when they are needed. */
public final class PeerStores implements PeerExtents, AutoCloseable {
    private record Key(StoreRef store, Traffic traffic) {}

    private record Peer(PeerLink link, Replica replica) {}

    private final RemoteConfig config;
    private final int nodeId;
    private final Network network;
    private final Loops loops;
    private final Loop timers;
    private final ByteBufAllocator allocator;
    private final RandomGenerator random;
    private final Map<Key, Peer> peers = new ConcurrentHashMap<>();

    /** @param nodeId of this node */
    public PeerStores(
            RemoteConfig config,
            int nodeId,
            Network network,
            Loops loops,
            ByteBufAllocator allocator,
            RandomGenerator random) {
        this.config = config;
        this.nodeId = nodeId;
        this.network = network;
        this.loops = loops;
        this.timers = loops.loop("peers");
        this.allocator = allocator;
        this.random = random;
    }

    /** A store of another node; whether it can be reached shows when it is asked. */
    public Replica replica(StoreRef store, Traffic traffic) {
        return peer(store, traffic).replica;
    }

    private Peer peer(StoreRef store, Traffic traffic) {
        return peers.computeIfAbsent(new Key(store, traffic), this::open);
    }

    private Peer open(Key key) {
        long seed;
        synchronized (random) {
            seed = random.nextLong();
        }
        Backoff backoff = new Backoff(config.retryFirstMs(), config.retryLastMs(), new SplittableRandom(seed));
        PeerLink link = new PeerLink(
                key.store, key.traffic, config, nodeId, network, timers, loops::nanoTime, allocator, backoff);
        return new Peer(link, new RemoteReplica(link, config, timers));
    }

    // ---- reads

    private <T> CompletionStage<T> ask(
            StoreRef holder,
            MessageType type,
            Consumer<Outgoing> fields,
            List<ByteBuf> payload,
            MessageType answer,
            PeerLink.Decoder<T> decoder) {
        return peer(holder, Traffic.READ)
                .link
                .request(type, fields, payload, answer, config.recoveryTimeoutMs(), decoder);
    }

    @Override
    public CompletionStage<OptionalLong> length(StoreRef holder, long extentId) {
        return ask(
                holder, MessageType.LENGTH, fields -> fields.int64(extentId), List.of(), MessageType.NUMBER, answer -> {
                    long length = answer.int64();
                    return length < 0 ? OptionalLong.empty() : OptionalLong.of(length);
                });
    }

    @Override
    public CompletionStage<long[]> streams(StoreRef holder, long extentId) {
        return ask(
                holder, MessageType.STREAMS, fields -> fields.int64(extentId), List.of(), MessageType.BYTES, answer -> {
                    ByteBuf ids = answer.checkedPayload();
                    long[] streams = new long[ids.readableBytes() / Long.BYTES];
                    for (int i = 0; i < streams.length; i++) {
                        streams[i] = ids.readLong();
                    }
                    return streams;
                });
    }

    @Override
    public CompletionStage<List<FrameEntry>> index(StoreRef holder, long extentId, long streamId) {
        return ask(
                holder,
                MessageType.INDEX,
                fields -> fields.int64(extentId).int64(streamId),
                List.of(),
                MessageType.ENTRIES,
                answer -> entries(answer, streamId));
    }

    private static List<FrameEntry> entries(Incoming answer, long streamId) throws ProtocolException {
        answer.checkedPayload();
        return EntryCodec.decode(answer.payloadBytes(), streamId);
    }

    @Override
    public CompletionStage<Optional<FrameEntry>> floor(StoreRef holder, long extentId, long streamId, long offset) {
        return ask(
                holder,
                MessageType.FLOOR,
                fields -> fields.int64(extentId).int64(streamId).int64(offset),
                List.of(),
                MessageType.ENTRIES,
                answer -> entries(answer, streamId).stream().findFirst());
    }

    @Override
    public CompletionStage<FrameRead> read(
            StoreRef holder, long extentId, long streamId, long fromOffset, int bytesMax) {
        return ask(
                holder,
                MessageType.READ,
                fields ->
                        fields.int64(extentId).int64(streamId).int64(fromOffset).int32(bytesMax),
                List.of(),
                MessageType.FRAMES,
                answer -> {
                    ByteBuf payload = answer.checkedPayload();
                    long base = answer.natural();
                    long end = answer.natural();
                    return new FrameRead(base, end, payload.retainedSlice());
                });
    }

    @Override
    public CompletionStage<ByteBuf> payload(StoreRef holder, long extentId, FrameEntry entry) {
        ByteBuf row = EntryCodec.encode(List.of(entry));
        int crc = Incoming.crc(row);
        return ask(
                holder,
                MessageType.PAYLOAD,
                fields -> fields.int64(extentId).int32(crc).int64(entry.streamId()),
                List.of(row),
                MessageType.BYTES,
                answer -> answer.checkedPayload().retainedSlice());
    }

    @Override
    public void close() {
        peers.values().forEach(peer -> peer.link.close());
    }
}
