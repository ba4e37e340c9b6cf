package io.catchment.wal.testing;

import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.SplittableRandom;

/** Frames with payloads that can be told apart. */
public final class Frames {
    private Frames() {}

    public static Frame data(long stream, long baseOffset, int records, int payloadBytes) {
        return new Frame(
                FrameKind.DATA,
                stream,
                1,
                baseOffset,
                records,
                1_000 + baseOffset,
                payload(stream, baseOffset, payloadBytes));
    }

    public static Frame checkpoint(long stream, long offset, int payloadBytes) {
        return new Frame(
                FrameKind.CHECKPOINT, stream, 1, offset, 0, 1_000 + offset, payload(stream, ~offset, payloadBytes));
    }

    public static ByteBuf payload(long stream, long seed, int payloadBytes) {
        return PooledByteBufAllocator.DEFAULT
                .directBuffer(Math.max(1, payloadBytes))
                .writeBytes(bytes(stream, seed, payloadBytes));
    }

    public static byte[] bytes(long stream, long seed, int payloadBytes) {
        byte[] bytes = new byte[payloadBytes];
        new SplittableRandom(stream * 31 + seed).nextBytes(bytes);
        return bytes;
    }
}
