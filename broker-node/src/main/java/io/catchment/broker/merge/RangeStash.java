package io.catchment.broker.merge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of ranges that wait to be written again: as many as fit in memory there, the others in a file without a name, which is gone with the process. Owned by
 * the merge loop, which may wait for the disk.
 */
final class RangeStash {
    private final ByteBufAllocator allocator;
    private final long memoryBytesMax;
    private final Path directory;
    private long memoryBytes;
    private long fileBytes;
    private @Nullable FileChannel file;

    /** @param directory of the file, made when it is needed */
    RangeStash(ByteBufAllocator allocator, long memoryBytesMax, Path directory) {
        this.allocator = allocator;
        this.memoryBytesMax = memoryBytesMax;
        this.directory = directory;
    }

    /**
     * @param memory null: they are in the file
     * @param crc CRC32C of what is in the file: a disk that lies must not get into an object whose own checksums then hold
     */
    record Kept(@Nullable ByteBuf memory, long position, int length, int crc) {}

    /** Copies what is readable. */
    Kept keep(ByteBuf bytes) {
        int length = bytes.readableBytes();
        if (memoryBytes + length <= memoryBytesMax) {
            memoryBytes += length;
            return new Kept(allocator.directBuffer(length, length).writeBytes(bytes), 0, length, 0);
        }
        long position = fileBytes;
        fileBytes += length;
        int crc = crc(bytes);
        write(bytes, position);
        return new Kept(null, position, length, crc);
    }

    /** In one piece of memory, the caller's from now on; once. */
    ByteBuf take(Kept kept) {
        ByteBuf memory = kept.memory;
        if (memory != null) {
            memoryBytes -= kept.length;
            return memory;
        }
        ByteBuf read = allocator.directBuffer(kept.length, kept.length);
        try {
            while (read.isWritable()) {
                if (read.writeBytes(file(), kept.position + read.writerIndex(), read.writableBytes()) < 0) {
                    throw new IllegalStateException("the file with ranges to merge ends too early");
                }
            }
            if (crc(read) != kept.crc) {
                throw new IllegalStateException(
                        "the file with ranges to merge holds other bytes than were written to it");
            }
            return read;
        } catch (IOException | RuntimeException e) {
            read.release();
            throw e instanceof IOException io ? new UncheckedIOException(io) : (RuntimeException) e;
        }
    }

    /** Gives up the file. What is in memory belongs to who has it named by {@link #keep}. */
    void close() {
        FileChannel open = file;
        file = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static int crc(ByteBuf bytes) {
        CRC32C crc = new CRC32C();
        for (ByteBuffer part : bytes.nioBuffers()) {
            crc.update(part);
        }
        return (int) crc.getValue();
    }

    private void write(ByteBuf bytes, long position) {
        try {
            long at = position;
            while (bytes.isReadable()) {
                at += bytes.readBytes(file(), at, bytes.readableBytes());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private FileChannel file() throws IOException {
        FileChannel open = file;
        if (open == null) {
            Files.createDirectories(directory);
            Path path = Files.createTempFile(directory, "ranges", ".tmp");
            open = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
            file = open;
            Files.delete(path);
        }
        return open;
    }
}
