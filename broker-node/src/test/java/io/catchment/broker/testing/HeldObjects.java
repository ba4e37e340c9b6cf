package io.catchment.broker.testing;

import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Objects of zeros; a test answers each read when it wants to. All direct memory is counted. Thread-safe. */
public final class HeldObjects implements ObjectBytes {
    public final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final BlockingQueue<Read> reads = new LinkedBlockingQueue<>();

    /** Under way until it is answered. */
    public final class Read {
        private final int length;
        private final CompletableFuture<ByteBuf> answer = new CompletableFuture<>();

        private Read(int length) {
            this.length = length;
        }

        public void answer(byte[] bytes) {
            answer.complete(allocator.directBuffer(length, length).writeBytes(bytes));
        }

        public void answer() {
            answer.complete(allocator.directBuffer(length, length).writeZero(length));
        }
    }

    @Override
    public CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length) {
        Read read = new Read(length);
        reads.add(read);
        return read.answer;
    }

    /** The next one that was asked for. */
    public Read next() throws InterruptedException {
        Read read = reads.poll(30, TimeUnit.SECONDS);
        if (read == null) {
            throw new AssertionError("nothing is read");
        }
        return read;
    }

    public long directBytes() {
        return allocator.metric().usedDirectMemory();
    }

    public void awaitNoDirectBytes() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (directBytes() != 0) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError(directBytes() + " direct bytes are not given back");
            }
            Thread.onSpinWait();
        }
    }

    @Override
    public CompletionStage<Manifest> manifest(long objectId, long objectBytes) {
        throw new AssertionError("no manifests here");
    }
}
