package io.catchment.wal.replica;

import io.catchment.wal.format.FrameRows;
import java.nio.ByteBuffer;

/**
 * The bytes of one write: whole frames that follow each other. Filled by the lane that owns it, then read by replicas until
 * each has answered.
 */
public interface WriteGroup {

    long extentId();

    long writerEpoch();

    /** Where the group begins in the extent. */
    long position();

    long endPosition();

    int frames();

    /** Fresh views of the bytes in order: the caller may move their positions. */
    ByteBuffer[] buffers();

    /** Index rows of the group's frames, in order. */
    FrameRows rows();
}
