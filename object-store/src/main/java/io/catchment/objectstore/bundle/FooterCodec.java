package io.catchment.objectstore.bundle;

import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;

/** Header, footer and trailer of a bundle, to bytes and back. What does not fit together is CORRUPT. */
final class FooterCodec {
    private FooterCodec() {}

    static ByteBuf header(ByteBufAllocator allocator) {
        ByteBuf out = allocator.directBuffer(BundleFormat.HEADER_BYTES);
        out.writeLong(BundleFormat.HEADER_MAGIC);
        out.writeShort(BundleFormat.VERSION);
        out.writeShort(0);
        out.writeInt(BlockChecksums.of(out));
        return out;
    }

    /** Footer and trailer behind a body of {@code bodyBytes}. */
    static ByteBuf write(
            ByteBufAllocator allocator,
            long bodyBytes,
            int[] crcs,
            List<BuiltRange> ranges,
            SparseIndex index,
            List<BuiltCheckpoint> checkpoints) {
        int length = footerBytes(crcs.length, ranges.size(), index.size(), checkpoints.size());
        ByteBuf out = allocator.directBuffer(length + BundleFormat.TRAILER_BYTES);
        out.writeInt(BundleFormat.FOOTER_MAGIC);
        out.writeShort(BundleFormat.VERSION);
        out.writeShort(0);
        out.writeInt(BundleFormat.BLOCK_BYTES);
        out.writeLong(bodyBytes);
        out.writeInt(crcs.length);
        out.writeInt(ranges.size());
        out.writeInt(index.size());
        out.writeInt(checkpoints.size());
        for (int crc : crcs) {
            out.writeInt(crc);
        }
        for (int i = 0; i < ranges.size(); i++) {
            writeRange(out, ranges.get(i), index.firstOf(i));
        }
        for (int i = 0; i < index.size(); i++) {
            out.writeLong(index.offset(i));
            out.writeLong(index.position(i));
            out.writeLong(index.maxEventTimeMsBefore(i));
        }
        for (BuiltCheckpoint checkpoint : checkpoints) {
            out.writeLong(checkpoint.streamId());
            out.writeLong(checkpoint.offset());
            out.writeLong(checkpoint.position());
            out.writeInt(checkpoint.length());
        }
        writeTrailer(out, length);
        return out;
    }

    private static void writeRange(ByteBuf out, BuiltRange range, int firstEntry) {
        out.writeLong(range.streamId());
        out.writeLong(range.baseOffset());
        out.writeLong(range.endOffset());
        out.writeLong(range.position());
        out.writeInt(range.length());
        out.writeLong(range.maxEventTimeMs());
        out.writeLong(range.maxAppendTimeMs());
        out.writeInt(firstEntry);
    }

    private static void writeTrailer(ByteBuf out, int footerLength) {
        int footerCrc = BlockChecksums.of(out, 0, footerLength);
        out.writeInt(footerLength);
        out.writeInt(footerCrc);
        out.writeInt(BlockChecksums.of(out, footerLength, 8));
        out.writeLong(BundleFormat.TRAILER_MAGIC);
    }

    /**
     * Length of the footer with its trailer, from the last bytes of an object.
     *
     * @param tail at least a trailer
     */
    static int footerAndTrailerBytes(ByteBuf tail, long objectBytes) {
        int trailer = tail.writerIndex() - BundleFormat.TRAILER_BYTES;
        check(tail.getLong(trailer + 12) == BundleFormat.TRAILER_MAGIC, "no bundle trailer at its end");
        check(tail.getInt(trailer + 8) == BlockChecksums.of(tail, trailer, 8), "trailer checksum");
        int footerLength = tail.getInt(trailer);
        check(
                footerLength >= BundleFormat.FOOTER_HEAD_BYTES
                        && (long) footerLength + BundleFormat.TRAILER_BYTES + BundleFormat.HEADER_BYTES <= objectBytes,
                "footer length");
        return footerLength + BundleFormat.TRAILER_BYTES;
    }

    /** @param bytes footer and trailer, nothing else */
    static BundleFooter read(ByteBuf bytes, long objectBytes) {
        int start = bytes.readerIndex();
        int length = bytes.readableBytes() - BundleFormat.TRAILER_BYTES;
        check(bytes.getInt(start + length + 4) == BlockChecksums.of(bytes, start, length), "footer checksum");
        ByteBuf in = bytes.slice(start, length);
        check(in.readInt() == BundleFormat.FOOTER_MAGIC, "footer magic");
        short version = in.readShort();
        check(
                version == BundleFormat.VERSION,
                "bundle version " + version + ", this program reads " + BundleFormat.VERSION);
        in.skipBytes(2);
        check(in.readInt() == BundleFormat.BLOCK_BYTES, "block size");
        long bodyBytes = in.readLong();
        int blocks = in.readInt();
        int ranges = in.readInt();
        int entries = in.readInt();
        int checkpoints = in.readInt();
        check(
                bodyBytes + length + BundleFormat.TRAILER_BYTES == objectBytes
                        && bodyBytes >= BundleFormat.HEADER_BYTES
                        && blocks == BundleFormat.blocks(bodyBytes)
                        && ranges >= 0
                        && entries >= ranges
                        && checkpoints >= 0
                        && (long) blocks * BundleFormat.CRC_BYTES
                                        + (long) ranges * BundleFormat.RANGE_BYTES
                                        + (long) entries * BundleFormat.INDEX_ENTRY_BYTES
                                        + (long) checkpoints * BundleFormat.CHECKPOINT_BYTES
                                        + BundleFormat.FOOTER_HEAD_BYTES
                                == length,
                "lengths");
        return BundleFooter.parse(in, bodyBytes, blocks, ranges, entries, checkpoints);
    }

    static void check(boolean right, String what) {
        if (!right) {
            throw new ObjectStoreException(Reason.CORRUPT, "bundle does not fit together: " + what, null);
        }
    }

    private static int footerBytes(int blocks, int ranges, int entries, int checkpoints) {
        return Math.addExact(
                BundleFormat.FOOTER_HEAD_BYTES + blocks * BundleFormat.CRC_BYTES,
                Math.addExact(
                        Math.multiplyExact(ranges, BundleFormat.RANGE_BYTES),
                        Math.addExact(
                                Math.multiplyExact(entries, BundleFormat.INDEX_ENTRY_BYTES),
                                Math.multiplyExact(checkpoints, BundleFormat.CHECKPOINT_BYTES))));
    }
}
