package io.catchment.wal.remote;

import io.catchment.wal.StoreRef;
import io.catchment.wal.link.Link;
import io.catchment.wal.link.LinkHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of another node to this node's store. Owned by the link's thread. First the peer says who it is and which
 * store it wants; a store that is not this one is refused, for ever: what it held is not here.
 */
final class ReplicaSession implements LinkHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaSession.class);

    private final Link link;
    private final String clusterId;
    private final StoreRef local;
    private final Answers answers;
    private final WriteRequests writes;
    private final ReadRequests reads;
    private final ByteBufAllocator allocator;
    private final Complaints complaints;
    private String peer;
    private int node;
    private boolean greeted;
    private boolean over;

    ReplicaSession(
            Link link,
            String clusterId,
            StoreRef local,
            Answers answers,
            WriteRequests writes,
            ReadRequests reads,
            ByteBufAllocator allocator,
            Complaints complaints) {
        this.link = link;
        this.clusterId = clusterId;
        this.local = local;
        this.answers = answers;
        this.writes = writes;
        this.reads = reads;
        this.allocator = allocator;
        this.complaints = complaints;
        this.peer = link.peer();
    }

    @Override
    public void received(ByteBuf message) {
        try {
            if (!over) {
                handle(new Incoming(message), message);
            }
        } catch (ProtocolException lie) {
            over = true;
            complaints.brokeTheProtocol(peer, greeted, String.valueOf(lie.getMessage()));
            link.send(Refusals.encode(allocator, 0, lie), List.of());
            link.close(String.valueOf(lie.getMessage()));
        } finally {
            message.release();
        }
    }

    private void handle(Incoming message, ByteBuf bytes) throws ProtocolException {
        if (!greeted) {
            greet(message);
            return;
        }
        switch (message.type()) {
            case CREATE, APPEND, ACKNOWLEDGED, FINISH, SETTLE, DISCARD, FENCE, FETCH, COPY ->
                writes.handle(message, bytes, node);
            case LENGTH, STREAMS, INDEX, FLOOR, READ, PAYLOAD -> reads.handle(message, bytes);
            default -> throw new ProtocolException(message.type() + " is no request");
        }
    }

    private void greet(Incoming hello) throws ProtocolException {
        if (hello.type() != MessageType.HELLO || hello.int64() != Greeting.MAGIC) {
            throw new ProtocolException("the first message must be a greeting, it is " + hello.type());
        }
        int version = hello.int8();
        int traffic = hello.int8();
        node = hello.int32();
        int wantedNode = hello.int32();
        String cluster = hello.text();
        String wantedStore = hello.text();
        peer = "node " + node + " at " + link.peer();
        String refused = refusal(version, traffic, cluster, wantedNode, wantedStore);
        if (!refused.isEmpty()) {
            over = true;
            complaints.refused(peer, refused);
            link.send(Refusals.encode(allocator, 0, new IOException(refused)), List.of());
            link.close(refused);
            return;
        }
        greeted = true;
        link.messageBytesMax(PeerLink.MESSAGE_BYTES_MAX);
        answers.send(
                new Outgoing(allocator, MessageType.WELCOME, 0)
                        .int32(local.nodeId())
                        .text(local.storeId()),
                List.of());
        LOG.debug("{} is connected for {}", peer, Traffic.of(traffic));
    }

    private String refusal(int version, int traffic, String cluster, int wantedNode, String wantedStore) {
        if (version != Greeting.VERSION || Traffic.of(traffic).isEmpty()) {
            return "WAL protocol version " + version + ", traffic " + traffic + ": this node speaks version "
                    + Greeting.VERSION;
        }
        if (!cluster.equals(clusterId)) {
            return "this node belongs to cluster " + clusterId + ", not to " + cluster;
        }
        StoreRef wanted = new StoreRef(wantedNode, wantedStore);
        return wanted.equals(local) ? "" : "this is " + local + ", not " + wanted;
    }

    @Override
    public void closed(String why) {
        LOG.debug("The connection of {} ended: {}", peer, why);
    }
}
