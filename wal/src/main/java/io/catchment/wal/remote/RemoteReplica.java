package io.catchment.wal.remote;

import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.WriteGroup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Another node's store as a member of an ensemble, over one connection. Thread-safe.
 *
 * <p>How far an extent is acknowledged travels with the next append; only when none follows within milliseconds it goes as
 * a message of its own.
 */
final class RemoteReplica implements Replica {
    private static final long ACKNOWLEDGED_AFTER_MS = 5;

    private record Progress(long extentId, long length) {}

    private final PeerLink link;
    private final RemoteConfig config;
    private final Loop timers;

    private final ReentrantLock lock = new ReentrantLock();
    /** What the peer has not been told yet. */
    private @Nullable Progress untold;

    private boolean telling;

    RemoteReplica(PeerLink link, RemoteConfig config, Loop timers) {
        this.link = link;
        this.config = config;
        this.timers = timers;
    }

    @Override
    public StoreRef store() {
        return link.peer();
    }

    @Override
    public CompletionStage<Void> create(ExtentHeader header) {
        return done(MessageType.CREATE, fields -> fields.header(header));
    }

    @Override
    public CompletionStage<Appended> append(WriteGroup group) {
        long acknowledged = takeProgress(group.extentId());
        long end = group.endPosition();
        return link.request(
                MessageType.APPEND,
                fields -> fields.int64(group.extentId())
                        .int64(group.writerEpoch())
                        .int64(group.position())
                        .int32(group.frames())
                        .int64(acknowledged),
                wrap(group.buffers()),
                MessageType.APPENDED,
                config.appendTimeoutMs(),
                answer -> {
                    Appended appended = new Appended(answer.int64(), answer.int64(), answer.int64());
                    if (appended.durableLength() != end) {
                        throw new ProtocolException("a write up to " + end + " of extent " + group.extentId()
                                + " was answered with durable length " + appended.durableLength() + " (W3)");
                    }
                    return appended;
                });
    }

    private static List<ByteBuf> wrap(ByteBuffer... buffers) {
        List<ByteBuf> parts = new ArrayList<>(buffers.length);
        for (ByteBuffer buffer : buffers) {
            parts.add(Unpooled.wrappedBuffer(buffer));
        }
        return parts;
    }

    @Override
    public void acknowledged(long extentId, long length) {
        lock.lock();
        try {
            untold = new Progress(extentId, length);
            if (telling) {
                return;
            }
            telling = true;
        } finally {
            lock.unlock();
        }
        timers.schedule(ACKNOWLEDGED_AFTER_MS, this::tellProgress);
    }

    private long takeProgress(long extentId) {
        lock.lock();
        try {
            Progress progress = untold;
            if (progress == null || progress.extentId != extentId) {
                return 0;
            }
            untold = null;
            return progress.length;
        } finally {
            lock.unlock();
        }
    }

    private void tellProgress() {
        Progress progress;
        lock.lock();
        try {
            telling = false;
            progress = untold;
            untold = null;
        } finally {
            lock.unlock();
        }
        if (progress != null) {
            link.tell(MessageType.ACKNOWLEDGED, fields -> fields.int64(progress.extentId)
                    .int64(progress.length));
        }
    }

    @Override
    public CompletionStage<Void> finish(long extentId, long length) {
        return done(MessageType.FINISH, fields -> fields.int64(extentId).int64(length));
    }

    @Override
    public CompletionStage<Void> settle(long extentId, long length) {
        return done(MessageType.SETTLE, fields -> fields.int64(extentId).int64(length));
    }

    @Override
    public CompletionStage<Void> discard(long extentId) {
        return done(MessageType.DISCARD, fields -> fields.int64(extentId));
    }

    private CompletionStage<Void> done(MessageType type, Consumer<Outgoing> fields) {
        return link.<Boolean>request(
                        type, fields, List.of(), MessageType.DONE, config.appendTimeoutMs(), answer -> true)
                .thenAccept(done -> {});
    }

    @Override
    public CompletionStage<Long> fence(ExtentHeader header, long recoveryEpoch) {
        return link.request(
                MessageType.FENCE,
                fields -> fields.header(header).int64(recoveryEpoch),
                List.of(),
                MessageType.NUMBER,
                config.recoveryTimeoutMs(),
                Incoming::natural);
    }

    @Override
    public CompletionStage<ByteBuffer> fetch(long extentId, long position, int bytesMax) {
        return link.request(
                MessageType.FETCH,
                fields -> fields.int64(extentId).int64(position).int32(bytesMax),
                List.of(),
                MessageType.BYTES,
                config.recoveryTimeoutMs(),
                answer -> {
                    ByteBuf payload = answer.checkedPayload();
                    if (payload.readableBytes() == 0 || payload.readableBytes() > bytesMax) {
                        throw new ProtocolException(
                                payload.readableBytes() + " bytes came where at most " + bytesMax + " were wanted");
                    }
                    ByteBuffer bytes = ByteBuffer.allocateDirect(payload.readableBytes());
                    payload.readBytes(bytes);
                    return bytes.flip();
                });
    }

    @Override
    public CompletionStage<Long> copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) {
        ByteBuf payload = Unpooled.wrappedBuffer(bytes);
        int crc = Incoming.crc(payload);
        return link.request(
                MessageType.COPY,
                fields -> fields.header(header)
                        .int64(recoveryEpoch)
                        .int64(position)
                        .int32(crc),
                List.of(payload),
                MessageType.NUMBER,
                config.recoveryTimeoutMs(),
                Incoming::natural);
    }
}
