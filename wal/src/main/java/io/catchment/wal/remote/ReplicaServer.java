package io.catchment.wal.remote;

import io.catchment.wal.link.Link;
import io.catchment.wal.link.LinkHandler;
import io.catchment.wal.replica.Replica;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.Supplier;
import java.util.zip.Checksum;

/** Serves this node's store to writers, recoverers and readers on other nodes. Immutable; one handler per connection. */
public final class ReplicaServer {
    private final RemoteConfig config;
    private final Replica local;
    private final ExtentReads reads;
    private final Supplier<Checksum> checksums;
    private final ByteBufAllocator allocator;
    private final Complaints complaints = new Complaints(System::nanoTime);

    public ReplicaServer(
            RemoteConfig config,
            Replica local,
            ExtentReads reads,
            Supplier<Checksum> checksums,
            ByteBufAllocator allocator) {
        this.config = config;
        this.local = local;
        this.reads = reads;
        this.checksums = checksums;
        this.allocator = allocator;
    }

    /** What hears a new connection. */
    public LinkHandler accept(Link link) {
        Answers answers = new Answers(link, allocator, config.unreadBytesMax());
        return new ReplicaSession(
                link,
                config.clusterId(),
                local.store(),
                answers,
                new WriteRequests(local, checksums, answers, allocator),
                new ReadRequests(reads, answers, allocator),
                allocator,
                complaints);
    }
}
