package io.catchment.wal.replica;

import io.catchment.wal.format.FrameRows;
import java.io.IOException;
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

    /** Called before the bytes are written: throws if they are not the whole, unbroken frames that they say they are. */
    default void verify() throws IOException {}

    /** Index rows of the group's frames, in order; known after {@link #verify}. */
    FrameRows rows();
}
