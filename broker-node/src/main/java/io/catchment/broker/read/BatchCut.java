package io.catchment.broker.read;

import io.netty.buffer.ByteBuf;

/**
 * Which bytes of a buffer are the whole batches a reader asked for. Found by walking batch headers; no byte is copied.
 *
 * @param start index in the buffer of the first batch wanted
 * @param length bytes of the whole batches from there on; 0 when there is none
 * @param baseOffset of the first batch; meaningless when there is none
 * @param endOffset after the last batch; meaningless when there is none
 * @param missing bytes the buffer would have to be longer by to hold the first wanted batch, as far as its header tells; 0 when it
 *     is whole, or when the walk met the limit
 */
record BatchCut(int start, int length, long baseOffset, long endOffset, int missing) {
    private static final int LENGTH_AT = 8;
    private static final int LENGTH_END = 12;
    private static final int MAGIC_AT = 16;
    private static final int LAST_OFFSET_DELTA_AT = 23;
    private static final int LAST_OFFSET_DELTA_END = 27;
    private static final int HEADER_BYTES = 61;

    boolean isEmpty() {
        return length == 0;
    }

    /**
     * Skips the batches that end at or before {@code fromOffset}, then takes whole ones that end at or before
     * {@code limitOffset} while they fit in {@code bytesMax}, the first one even if it does not.
     *
     * @throws IllegalStateException when the bytes are no record batches
     */
    static BatchCut of(ByteBuf buffer, long fromOffset, long limitOffset, int bytesMax) {
        int end = buffer.writerIndex();
        int at = buffer.readerIndex();
        int start = -1;
        long base = fromOffset;
        long last = fromOffset;
        while (at < end) {
            if (end - at < LAST_OFFSET_DELTA_END) {
                return start >= 0
                        ? new BatchCut(start, at - start, base, last, 0)
                        : none(at, HEADER_BYTES - (end - at));
            }
            int size = size(buffer, at);
            long endOffset = buffer.getLong(at) + buffer.getInt(at + LAST_OFFSET_DELTA_AT) + 1;
            if (endOffset > fromOffset) {
                if (endOffset > limitOffset) {
                    break;
                }
                if (size > end - at) {
                    return start >= 0 ? new BatchCut(start, at - start, base, last, 0) : none(at, size - (end - at));
                }
                if (start < 0) {
                    start = at;
                    base = buffer.getLong(at);
                } else if (at + size - start > bytesMax) {
                    break;
                }
                last = endOffset;
            } else if (size > end - at) {
                return none(at, size - (end - at) + HEADER_BYTES);
            }
            at += size;
        }
        if (start >= 0) {
            return new BatchCut(start, at - start, base, last, 0);
        }
        return at < end ? none(at, 0) : none(at, HEADER_BYTES);
    }

    private static BatchCut none(int at, int missing) {
        return new BatchCut(at, 0, -1, -1, missing);
    }

    private static int size(ByteBuf buffer, int at) {
        int length = buffer.getInt(at + LENGTH_AT);
        byte magic = buffer.getByte(at + MAGIC_AT);
        if (length < HEADER_BYTES - LENGTH_END || magic != 2) {
            throw new IllegalStateException("no record batch at byte " + (at - buffer.readerIndex()) + " of "
                    + buffer.readableBytes() + ": length " + length + ", magic " + magic);
        }
        return length + LENGTH_END;
    }
}
