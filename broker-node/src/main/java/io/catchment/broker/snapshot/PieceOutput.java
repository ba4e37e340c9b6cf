package io.catchment.broker.snapshot;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.io.OutputStream;

/** Used by one thread. Bytes into pieces of one size on the heap, put together without a copy; the last one comes with {@link #close}. */
final class PieceOutput extends OutputStream {
    private final CompositeByteBuf out;
    private final int pieceBytes;
    private ByteBuf piece;

    PieceOutput(CompositeByteBuf out, int pieceBytes) {
        this.out = out;
        this.pieceBytes = pieceBytes;
        this.piece = Unpooled.buffer(pieceBytes, pieceBytes);
    }

    @Override
    public void write(int value) {
        next();
        piece.writeByte(value);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        int at = offset;
        int left = length;
        while (left > 0) {
            next();
            int part = Math.min(left, piece.writableBytes());
            piece.writeBytes(bytes, at, part);
            at += part;
            left -= part;
        }
    }

    private void next() {
        if (!piece.isWritable()) {
            out.addComponent(true, piece);
            piece = Unpooled.buffer(pieceBytes, pieceBytes);
        }
    }

    @Override
    public void close() {
        if (piece.isReadable()) {
            out.addComponent(true, piece);
            piece = Unpooled.EMPTY_BUFFER;
        }
    }
}
