package io.catchment.wal;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/**
 * Reads of extents that lie on other nodes' stores, answered as {@link Wal} answers for its own. A stage fails with
 * {@link java.io.IOException} when the store cannot be reached, is another one by now, or does not serve the extent.
 */
public interface PeerExtents {

    /** Length that readers may see; empty if that store does not serve the extent. */
    CompletionStage<OptionalLong> length(StoreRef holder, long extentId);

    CompletionStage<long[]> streams(StoreRef holder, long extentId);

    CompletionStage<List<FrameEntry>> index(StoreRef holder, long extentId, long streamId);

    CompletionStage<Optional<FrameEntry>> floor(StoreRef holder, long extentId, long streamId, long offset);

    /** See {@link Wal#read}; {@code bytesMax} is cut to what one answer may take, 8 MiB. */
    CompletionStage<FrameRead> read(StoreRef holder, long extentId, long streamId, long fromOffset, int bytesMax);

    /** See {@link Wal#payload}. */
    CompletionStage<ByteBuf> payload(StoreRef holder, long extentId, FrameEntry entry);
}
