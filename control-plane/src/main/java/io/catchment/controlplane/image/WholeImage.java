package io.catchment.controlplane.image;

import io.catchment.controlplane.ImageDelta;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.writer.ImageWriter;
import org.apache.kafka.image.writer.ImageWriterOptions;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/** An image as the change from nothing to it: what a listener is given first. */
public final class WholeImage {
    private WholeImage() {}

    public static ImageDelta asDelta(StateImage image) {
        MetadataDelta metadata =
                new MetadataDelta.Builder().setImage(MetadataImage.EMPTY).build();
        if (!image.metadata().isEmpty()) {
            try (ImageWriter writer = new ReplayingWriter(metadata)) {
                image.metadata().write(writer, new ImageWriterOptions.Builder(image.metadata()).build());
            }
        }
        return new ImageDelta(
                true,
                image.state().streams().keySet(),
                image.state().extents().keySet(),
                image.state().objects().keySet(),
                true,
                true,
                metadata);
    }

    private record ReplayingWriter(MetadataDelta delta) implements ImageWriter {
        @Override
        public void write(ApiMessageAndVersion record) {
            delta.replay(record.message());
        }

        @Override
        public void close(boolean complete) {
            // Nothing is held
        }
    }
}
