package io.catchment.objectstore.s3;

import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.PiecedBuffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Collects one response body into one buffer of direct pieces. Signals come one after the other, from the SDK's threads; {@code buffer} is guarded by
 * this object's monitor because a cancel may come at any time.
 */
final class RangeCollector implements AsyncResponseTransformer<GetObjectResponse, ByteBuf>, Subscriber<ByteBuffer> {
    private final String what;
    private final int length;
    private final ByteBufAllocator allocator;
    private CompletableFuture<ByteBuf> result = new CompletableFuture<>();
    private @Nullable ByteBuf buffer;
    private @Nullable Subscription subscription;

    RangeCollector(String what, int length, ByteBufAllocator allocator) {
        this.what = what;
        this.length = length;
        this.allocator = allocator;
    }

    @Override
    public synchronized CompletableFuture<ByteBuf> prepare() {
        drop();
        result = new CompletableFuture<>();
        return result;
    }

    @Override
    public void onResponse(GetObjectResponse response) {
        // The length is checked by counting: a server may leave it out.
    }

    @Override
    public void onStream(SdkPublisher<ByteBuffer> publisher) {
        publisher.subscribe(this);
    }

    @Override
    public void exceptionOccurred(Throwable error) {
        fail(error);
    }

    @Override
    public void onSubscribe(Subscription s) {
        synchronized (this) {
            subscription = s;
            buffer = PiecedBuffers.allocate(allocator, length);
        }
        s.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(ByteBuffer piece) {
        ClientThreads.giveWay();
        boolean tooMuch = false;
        synchronized (this) {
            ByteBuf into = buffer;
            if (into != null) {
                tooMuch = piece.remaining() > length - into.writerIndex();
                if (!tooMuch) {
                    into.writeBytes(piece);
                }
            }
        }
        if (tooMuch) {
            fail(new ObjectStoreException(Reason.TRANSIENT, what + ": the server sent more than was asked for", null));
        }
    }

    @Override
    public void onError(Throwable error) {
        fail(error);
    }

    @Override
    public void onComplete() {
        ByteBuf whole;
        synchronized (this) {
            whole = buffer;
            buffer = null;
        }
        if (whole == null) {
            return;
        }
        if (whole.readableBytes() < length) {
            int got = whole.readableBytes();
            whole.release();
            result.completeExceptionally(new ObjectStoreException(
                    Reason.CORRUPT, what + ": the object gave " + got + " of " + length + " bytes", null));
        } else if (!result.complete(whole)) {
            whole.release();
        }
    }

    /** Frees what was collected; the future fails. */
    private void fail(Throwable error) {
        Subscription open;
        synchronized (this) {
            drop();
            open = subscription;
        }
        if (open != null) {
            open.cancel();
        }
        result.completeExceptionally(error);
    }

    private void drop() {
        if (buffer != null) {
            buffer.release();
            buffer = null;
        }
    }
}
