package io.catchment.controlplane.state;

import io.catchment.controlplane.StreamRange;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * A stream's catalog: an immutable list that is cheap to extend, because its versions share their full chunks. Adding copies at
 * most one chunk and, once per chunk, the list of chunks.
 */
final class RangeList extends AbstractList<StreamRange> implements RandomAccess {
    private static final int CHUNK = 64;
    static final RangeList EMPTY = new RangeList(new StreamRange[0][], new StreamRange[0]);

    private final StreamRange[][] full;
    private final StreamRange[] tail;

    private RangeList(StreamRange[][] full, StreamRange[] tail) {
        this.full = full;
        this.tail = tail;
    }

    RangeList plus(StreamRange range) {
        if (tail.length < CHUNK) {
            StreamRange[] longer = Arrays.copyOf(tail, tail.length + 1);
            longer[tail.length] = range;
            return new RangeList(full, longer);
        }
        StreamRange[][] more = Arrays.copyOf(full, full.length + 1);
        more[full.length] = tail;
        return new RangeList(more, new StreamRange[] {range});
    }

    /** Copies what is left, and the range in the place of {@code count} from an index on. */
    RangeList replaced(int first, int count, StreamRange range) {
        RangeList with = EMPTY;
        for (StreamRange before : subList(0, first)) {
            with = with.plus(before);
        }
        with = with.plus(range);
        for (StreamRange after : subList(first + count, size())) {
            with = with.plus(after);
        }
        return with;
    }

    /** Copies what is left. */
    RangeList withoutFirst(int count) {
        if (count == 0) {
            return this;
        }
        RangeList left = EMPTY;
        for (StreamRange range : subList(count, size())) {
            left = left.plus(range);
        }
        return left;
    }

    @Override
    public StreamRange get(int index) {
        Objects.checkIndex(index, size());
        int chunk = index / CHUNK;
        return chunk < full.length ? full[chunk][index % CHUNK] : tail[index % CHUNK];
    }

    @Override
    public int size() {
        return full.length * CHUNK + tail.length;
    }
}
