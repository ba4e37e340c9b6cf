package io.catchment.broker.compaction;

import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.testing.HeldObjects;
import io.catchment.broker.testing.PublishedStream;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RangeReaderTest {
    private final PublishedStream published = new PublishedStream(1_000);
    private final HeldObjects objects = new HeldObjects();
    private final SerialThread loop = new SerialThread("reader-under-test");
    private final RangeReader reader = new RangeReader(
            new MergeMeans(
                    published.control, null, objects, objects.allocator, Path.of("nowhere"), 1, published.nodeEpoch),
            loop,
            published.streamId);

    @AfterEach
    void end() {
        loop.close();
    }

    @Test
    void aPieceThatComesAfterTheEndIsReleased() throws Exception {
        var unused = reader.read(published.ranges().get(0), batches -> {
            throw new AssertionError("nobody takes it");
        });
        HeldObjects.Read read = objects.next();
        loop.close();
        read.answer();
        objects.awaitNoDirectBytes();
    }
}
