package io.catchment.wal.remote;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/** Index entries of one stream as the rows of a footer (see the README). */
final class EntryCodec {
    private EntryCodec() {}

    static ByteBuf encode(List<FrameEntry> entries) {
        FrameRows rows = new FrameRows();
        for (FrameEntry entry : entries) {
            int headAt = rows.add(
                    entry.kind(),
                    entry.streamId(),
                    entry.baseOffset(),
                    entry.appendTimeMs(),
                    entry.position(),
                    entry.payloadLength(),
                    entry.recordCount(),
                    entry.epoch());
            System.arraycopy(entry.head(), 0, rows.bytes(), headAt, entry.head().length);
        }
        // Direct: anything else the channel would copy.
        ByteBuf bytes = Unpooled.directBuffer(Math.max(1, rows.count() * IndexRow.BYTES));
        return bytes.writeBytes(rows.bytes(), 0, rows.count() * IndexRow.BYTES);
    }

    static List<FrameEntry> decode(byte[] rows, long streamId) throws ProtocolException {
        if (rows.length % IndexRow.BYTES != 0) {
            throw new ProtocolException(rows.length + " bytes are no index rows");
        }
        List<FrameEntry> entries = new ArrayList<>(rows.length / IndexRow.BYTES);
        for (int at = 0; at < rows.length; at += IndexRow.BYTES) {
            if (!IndexRow.sane(rows, at)) {
                throw new ProtocolException("an index row of stream " + streamId + " cannot be");
            }
            entries.add(IndexRow.entry(rows, at, streamId));
        }
        return entries;
    }
}
