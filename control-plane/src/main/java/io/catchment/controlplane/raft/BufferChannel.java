package io.catchment.controlplane.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.kafka.common.network.Send;
import org.apache.kafka.common.network.TransferableChannel;

/** Takes a whole response of Kafka's form, records from files too, into one buffer. Owned by the caller. */
final class BufferChannel implements TransferableChannel {
    private final ByteBuffer buffer;

    private BufferChannel(int size) {
        buffer = ByteBuffer.allocate(size);
    }

    static ByteBuffer collect(Send send) throws IOException {
        BufferChannel channel = new BufferChannel(Math.toIntExact(send.size()));
        while (!send.completed()) {
            long written = send.writeTo(channel);
            if (written == 0 && !send.completed()) {
                throw new IOException(
                        "a response ends early: " + channel.buffer.position() + " of " + send.size() + " bytes");
            }
        }
        return channel.buffer.flip();
    }

    @Override
    public int write(ByteBuffer source) {
        int bytes = source.remaining();
        buffer.put(source);
        return bytes;
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
        long bytes = 0;
        for (int i = offset; i < offset + length; i++) {
            bytes += write(sources[i]);
        }
        return bytes;
    }

    @Override
    public long write(ByteBuffer[] sources) {
        return write(sources, 0, sources.length);
    }

    @Override
    public long transferFrom(FileChannel file, long position, long count) throws IOException {
        ByteBuffer part = buffer.slice(buffer.position(), (int) Math.min(count, buffer.remaining()));
        int bytes = file.read(part, position);
        if (bytes > 0) {
            buffer.position(buffer.position() + bytes);
        }
        return Math.max(bytes, 0);
    }

    @Override
    public boolean hasPendingWrites() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {
        // Nothing is held
    }
}
