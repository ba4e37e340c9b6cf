package io.catchment.objectstore;

import java.util.ArrayList;
import java.util.List;

/**
 * The old part of a stream's catalog, as an object holds it: ranges that follow each other, oldest first, each with the object it lies
 * in. Immutable. Kept as plain numbers: a manifest of 4096 ranges takes 256 KiB.
 */
public final class Manifest {
    private static final int WORDS = 8;

    private final long streamId;
    private final long[] words;

    /** Offsets of the stream that lie in an object: the catalog's range, and how long that object is. */
    public record Entry(
            long baseOffset,
            long endOffset,
            long objectId,
            long objectBytes,
            long position,
            int length,
            long maxEventTimeMs,
            long maxAppendTimeMs) {
        public Entry {
            if (baseOffset < 0
                    || endOffset <= baseOffset
                    || objectId < 0
                    || position < 0
                    || length < 1
                    || position + length > objectBytes) {
                throw new IllegalArgumentException("impossible: offsets " + baseOffset + " to " + endOffset
                        + " in object " + objectId + " of " + objectBytes + " bytes, " + length + " from " + position);
            }
        }

        public ObjectReader.Location location(long streamId) {
            return new ObjectReader.Location(objectId, objectBytes, streamId, baseOffset, endOffset, position, length);
        }
    }

    /** @throws IllegalArgumentException unless there is an entry and each begins where the one before ends */
    public Manifest(long streamId, List<Entry> entries) {
        if (entries.isEmpty()) {
            throw new IllegalArgumentException("a manifest of stream " + streamId + " without ranges");
        }
        this.streamId = streamId;
        this.words = new long[entries.size() * WORDS];
        long end = entries.get(0).baseOffset();
        int at = 0;
        for (Entry entry : entries) {
            if (entry.baseOffset() != end) {
                throw new IllegalArgumentException(
                        "a manifest of stream " + streamId + " with offset " + entry.baseOffset() + " after " + end);
            }
            end = entry.endOffset();
            words[at++] = entry.baseOffset();
            words[at++] = entry.endOffset();
            words[at++] = entry.objectId();
            words[at++] = entry.objectBytes();
            words[at++] = entry.position();
            words[at++] = entry.length();
            words[at++] = entry.maxEventTimeMs();
            words[at++] = entry.maxAppendTimeMs();
        }
    }

    public long streamId() {
        return streamId;
    }

    public int size() {
        return words.length / WORDS;
    }

    public Entry entry(int index) {
        int at = index * WORDS;
        return new Entry(
                words[at],
                words[at + 1],
                words[at + 2],
                words[at + 3],
                words[at + 4],
                (int) words[at + 5],
                words[at + 6],
                words[at + 7]);
    }

    /** Of the range that holds the offset, by binary search; -1 if none does. */
    public int indexOf(long offset) {
        int low = 0;
        int high = size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (offset < words[middle * WORDS]) {
                high = middle - 1;
            } else if (offset >= words[middle * WORDS + 1]) {
                low = middle + 1;
            } else {
                return middle;
            }
        }
        return -1;
    }

    /** From the index on. */
    public List<Entry> entriesFrom(int index) {
        List<Entry> entries = new ArrayList<>(size() - index);
        for (int i = index; i < size(); i++) {
            entries.add(entry(i));
        }
        return entries;
    }

    /** Bytes of memory, about. */
    public int weight() {
        return words.length * Long.BYTES + 64;
    }
}
