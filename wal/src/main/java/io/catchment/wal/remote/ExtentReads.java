package io.catchment.wal.remote;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/** Reads of this node's own store, for others. None blocks its caller. */
public interface ExtentReads {

    OptionalLong length(long extentId);

    CompletionStage<long[]> streams(long extentId);

    CompletionStage<List<FrameEntry>> index(long extentId, long streamId);

    CompletionStage<Optional<FrameEntry>> floor(long extentId, long streamId, long offset);

    CompletionStage<FrameRead> read(long extentId, long streamId, long fromOffset, int bytesMax);

    CompletionStage<ByteBuf> payload(long extentId, FrameEntry entry);
}
