package io.catchment.wal.disk;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Past the page cache (O_DIRECT): zeros that nobody will read cost neither pages nor copies. A file system may refuse that when the file
 * is opened (ramfs, some network and overlay file systems), or later because its blocks are larger than what is appended: then the
 * rest goes through the page cache.
 */
final class DirectFill implements ZeroFill {
    private static final Logger LOG = LoggerFactory.getLogger(DirectFill.class);
    /** Of the zeros in memory; a multiple of what file systems ask for. */
    private static final int ALIGNMENT = 4096;

    private final Path path;
    private final FileChannel channel;
    private final ByteBuffer zeros;
    private long filledBytes;
    private @Nullable ZeroFill cached;

    private DirectFill(Path path, FileChannel channel, ByteBuffer zeros) {
        this.path = path;
        this.channel = channel;
        this.zeros = zeros;
    }

    static ByteBuffer zeros(int bytes) {
        return ByteBuffer.allocateDirect(bytes + ALIGNMENT)
                .alignedSlice(ALIGNMENT)
                .limit(bytes)
                .slice();
    }

    /** @param zeros only read, so that several may share them */
    static ZeroFill create(Path path, ByteBuffer zeros) throws IOException {
        try {
            FileChannel channel = FileChannel.open(
                    path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT);
            return new DirectFill(path, channel, zeros);
        } catch (FileAlreadyExistsException taken) {
            throw taken;
        } catch (IOException | UnsupportedOperationException refused) {
            LOG.debug("{} is filled through the page cache: {}", path, refused.toString());
            // Linux may have made the file before it refused.
            return throughCache(path, 0);
        }
    }

    private static CachedFill throughCache(Path path, long filledBytes) throws IOException {
        return new CachedFill(
                new ChannelFile(FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)),
                filledBytes);
    }

    @Override
    public void append(int bytes) throws IOException {
        if (cached == null && !appended(bytes)) {
            cached = throughCache(path, filledBytes);
        }
        if (cached != null) {
            cached.append(bytes);
        }
    }

    private boolean appended(int bytes) {
        try {
            long end = filledBytes + bytes;
            for (long at = filledBytes; at < end; ) {
                at += channel.write(zeros.duplicate().limit((int) Math.min(zeros.capacity(), end - at)), at);
            }
            filledBytes = end;
            return true;
        } catch (IOException refused) {
            LOG.debug("{} is filled through the page cache from {} on: {}", path, filledBytes, refused.toString());
            return false;
        }
    }

    /** Of both kinds of writes: it is the file that is synced, not the channel. */
    @Override
    public void sync() throws IOException {
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            if (cached != null) {
                cached.close();
            }
        }
    }
}
