package io.catchment.controlplane.archive;

import io.catchment.controlplane.ClusterImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/** Archives as bytes. */
public final class Archives {
    private Archives() {}

    public static byte[] bytes(ClusterImage image, long generation) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            StateArchive.write(image, generation, out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    public static StateArchive.Contents of(ClusterImage image, long generation) {
        try {
            return StateArchive.read(ByteBuffer.wrap(bytes(image, generation)));
        } catch (CorruptArchiveException e) {
            throw new AssertionError(e);
        }
    }
}
