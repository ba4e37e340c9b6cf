package io.catchment.wal.remote;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica.FencedByRecoveryException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.file.NoSuchFileException;

/** Failures as answers: what the caller must be able to tell apart survives the way. */
final class Refusals {
    private static final int IO = 0;
    private static final int CORRUPT = 1;
    private static final int FENCED = 2;
    private static final int NOT_FOUND = 3;

    private Refusals() {}

    static ByteBuf encode(ByteBufAllocator allocator, long number, Throwable failure) {
        int code = IO;
        long value = 0;
        if (failure instanceof CorruptExtentException corrupt) {
            code = CORRUPT;
            value = corrupt.validLength();
        } else if (failure instanceof FencedByRecoveryException) {
            code = FENCED;
        } else if (failure instanceof NoSuchFileException) {
            code = NOT_FOUND;
        }
        String message = failure.getMessage();
        return new Outgoing(allocator, MessageType.FAILED, number)
                .int8(code)
                .int64(value)
                .text(code == IO || message == null ? Failures.text(failure) : message)
                .end(0);
    }

    static Exception decode(Incoming failed, String from) throws ProtocolException {
        int code = failed.int8();
        long value = failed.int64();
        String text = from + ": " + failed.text();
        return switch (code) {
            case CORRUPT -> new CorruptExtentException(text, value);
            case FENCED -> new FencedByRecoveryException(text);
            case NOT_FOUND -> new NoSuchFileException(text);
            default -> new IOException(text);
        };
    }
}
