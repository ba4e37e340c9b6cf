package io.catchment.objectstore.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirstWritesTest {
    private static final int ROOTS = 300;
    private static final int WRITERS = 4;

    @TempDir
    private Path folder;

    @Test
    void writersThatMakeTheDirectoryAtTheSameTimeDoNotTakeItForGone() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
        try {
            for (int i = 0; i < ROOTS; i++) {
                var files = new ObjectFiles(folder.resolve("root-" + i), UnpooledByteBufAllocator.DEFAULT);
                var start = new CyclicBarrier(WRITERS);
                List<Future<?>> writes = new ArrayList<>();
                for (int writer = 0; writer < WRITERS; writer++) {
                    String key = "first/" + writer;
                    writes.add(threads.submit(() -> {
                        start.await(20, TimeUnit.SECONDS);
                        files.write(key, Unpooled.wrappedBuffer(new byte[] {1}), true);
                        return null;
                    }));
                }
                for (Future<?> write : writes) {
                    write.get(20, TimeUnit.SECONDS);
                }
                assertThat(files.list("first/")).hasSize(WRITERS);
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
