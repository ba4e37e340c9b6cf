package io.catchment.objectstore.file;

import com.sun.nio.file.ExtendedOpenOption;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Writes a new file and syncs it. A large body goes past the page cache (O_DIRECT) where the file system can do that: nobody reads it soon, and
 * pages of it would cost more CPU than all the rest of a flush and push out what is read. A staging buffer that stays in the CPU's cache
 * brings the body's pieces to the alignment that this needs.
 */
final class SyncedFile {
    /** Below this the page cache is cheaper than a write of its own for the unaligned end. */
    static final int DIRECT_BYTES_MIN = 1 << 20;

    private static final int STAGING_BYTES = 1 << 20;
    private static final int ALIGNMENT_MAX = 64 << 10;
    private static final int GATHER_MAX = 256;

    private SyncedFile() {}

    static void write(Path file, ByteBuf body, ByteBufAllocator allocator) throws IOException {
        int written = 0;
        if (body.readableBytes() >= DIRECT_BYTES_MIN) {
            written = writeDirect(file, body, allocator);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.position(written);
            writeGathered(channel, body.nioBuffers(body.readerIndex() + written, body.readableBytes() - written));
            channel.force(true);
        }
    }

    /**
     * Writes as many whole blocks as there are; answers their bytes. 0 when it failed: the file system wants no such writes, or the disk
     * has a trouble that the usual way will meet and name as well.
     */
    private static int writeDirect(Path file, ByteBuf body, ByteBufAllocator allocator) throws IOException {
        int block = blockBytes(file);
        if (block > ALIGNMENT_MAX || STAGING_BYTES % block != 0) {
            return 0;
        }
        ByteBuf room = allocator.directBuffer(STAGING_BYTES + block, STAGING_BYTES + block);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT)) {
            ByteBuffer staging = room.nioBuffer(0, STAGING_BYTES + block).alignedSlice(block);
            return copy(channel, body, staging, block);
        } catch (UnsupportedOperationException | IOException refused) {
            return 0;
        } finally {
            room.release();
        }
    }

    private static int copy(FileChannel channel, ByteBuf body, ByteBuffer staging, int block) throws IOException {
        int whole = body.readableBytes() / block * block;
        int written = 0;
        while (written < whole) {
            int bytes = Math.min(STAGING_BYTES, whole - written);
            body.getBytes(body.readerIndex() + written, staging.clear().limit(bytes));
            staging.flip();
            while (staging.hasRemaining()) {
                channel.write(staging, written + staging.position());
            }
            written += bytes;
        }
        return written;
    }

    private static int blockBytes(Path file) throws IOException {
        Path directory = file.getParent();
        return (int) Math.min(
                Integer.MAX_VALUE,
                Files.getFileStore(directory == null ? file : directory).getBlockSize());
    }

    private static void writeGathered(FileChannel channel, ByteBuffer[] pieces) throws IOException {
        int next = 0;
        while (next < pieces.length) {
            if (pieces[next].hasRemaining()) {
                channel.write(pieces, next, Math.min(GATHER_MAX, pieces.length - next));
            } else {
                next++;
            }
        }
    }
}
