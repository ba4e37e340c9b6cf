package io.catchment.wal;

import io.netty.buffer.ByteBuf;
import java.util.List;

/** A sealed extent in memory, each frame verified. Positions of the entries are positions in {@link #bytes()}. */
public interface LoadedExtent extends AutoCloseable {

    long extentId();

    /** Owned by this object until {@link #close()}; retain slices to keep them longer. */
    ByteBuf bytes();

    long[] streams();

    /** DATA and CHECKPOINT frames of a stream in offset order. */
    List<FrameEntry> frames(long streamId);

    @Override
    void close();
}
