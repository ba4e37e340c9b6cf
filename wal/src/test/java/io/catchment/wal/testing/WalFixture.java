package io.catchment.wal.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.Admission;
import io.catchment.wal.Frame;
import io.catchment.wal.Lane;
import io.catchment.wal.Wal;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Small steps that tests of a real WAL share. */
public final class WalFixture {
    private WalFixture() {}

    /** The stage's value, with a deadline; throws what it failed with inside a {@link CompletionException}. */
    public static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw new CompletionException(failed.getCause());
        } catch (InterruptedException | TimeoutException late) {
            throw new AssertionError("no answer in time", late);
        }
    }

    /** What the stage failed with. */
    public static Throwable failure(CompletionStage<?> stage) {
        try {
            get(stage);
        } catch (CompletionException failed) {
            return failed.getCause();
        }
        throw new AssertionError("the stage did not fail");
    }

    public static void append(Wal wal, Lane lane, Frame frame) {
        assertThat(wal.append(lane, frame, null)).isEqualTo(Admission.ACCEPTED);
    }

    /** The buffer's bytes; releases it. */
    public static byte[] bytes(ByteBuf payload) {
        byte[] bytes = ByteBufUtil.getBytes(payload);
        payload.release();
        return bytes;
    }
}
