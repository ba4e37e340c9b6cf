package io.catchment.objectstore;

import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletionStage;

/** What is in published objects, for who knows where it lies. Thread-safe; nothing here blocks. */
public interface ObjectBytes {

    /** Any verified bytes of an object (O4): checkpoints, whole ranges. The caller releases them. */
    CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length);

    /** The manifest that the object is, cached. */
    CompletionStage<Manifest> manifest(long objectId, long objectBytes);
}
