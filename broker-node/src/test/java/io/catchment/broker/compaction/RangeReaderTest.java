package io.catchment.broker.compaction;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.merge.UnreadableRangeException;
import io.catchment.broker.testing.HeldObjects;
import io.catchment.broker.testing.PublishedStream;
import io.catchment.broker.testing.TestBatches;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RangeReaderTest {
    private final PublishedStream published = new PublishedStream(1_000);
    private final HeldObjects objects = new HeldObjects();
    private final SerialThread loop = new SerialThread("reader-under-test");
    private final RangeReader reader = reader(published);

    private RangeReader reader(PublishedStream of) {
        return new RangeReader(
                new MergeMeans(of.control, null, objects, objects.allocator, Path.of("nowhere"), 1, of.nodeEpoch),
                loop,
                of.streamId);
    }

    @AfterEach
    void end() {
        loop.close();
    }

    /** Its stream is left alone for a while then: else it would be the dirtiest one for ever, and no other would be compacted. */
    @Test
    void aRangeThatCannotBeUnderstoodIsTold() throws Exception {
        byte[] batch = TestBatches.batch(0, 10, 100);
        PublishedStream one = new PublishedStream(batch.length);
        RangeReader reading = reader(one);
        CompletableFuture<Long> read = reading.read(one.ranges().get(0), batches -> {
                    throw new IllegalArgumentException("what are these records?");
                })
                .toCompletableFuture();
        objects.next().answer(batch);
        assertThatThrownBy(() -> read.get(30, TimeUnit.SECONDS))
                .hasCauseInstanceOf(UnreadableRangeException.class)
                .hasMessageContaining("what are these records?");
        objects.awaitNoDirectBytes();
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
