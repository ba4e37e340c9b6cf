package io.catchment.objectstore.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryFaultsTest {
    @TempDir
    Path directory;

    private DirectoryStore store = new DirectoryStore(Path.of("unused"), 1, ByteBufAllocator.DEFAULT);
    private Path root = Path.of("unused");

    @BeforeEach
    void open() {
        root = directory.resolve("store");
        store = new DirectoryStore(root, 2, ByteBufAllocator.DEFAULT);
    }

    @AfterEach
    void close() {
        store.close();
    }

    /** As when a mount goes away and comes back. */
    @Test
    void aDirectoryThatIsGoneIsTroubleNotAnEmptyStoreAndItHeals() throws Exception {
        done(store.put("a/1", body("one")));
        Path away = directory.resolve("away");
        Files.move(root, away);
        fails(Reason.TRANSIENT, store.get("a/1", 0, 3));
        fails(Reason.TRANSIENT, store.list(""));
        fails(Reason.TRANSIENT, store.delete(List.of("a/1")));
        ByteBuf body = body("two");
        fails(Reason.TRANSIENT, store.put("a/2", body));
        assertThat(body.refCnt()).isZero();
        assertThat(root).doesNotExist();
        Files.move(away, root);
        done(store.put("a/2", body("two")));
        assertThat(done(store.list(""))).containsExactly(new Listed("a/1", 3), new Listed("a/2", 3));
    }

    /** As when the disk is full or read-only: whatever the reason, nothing is half there. */
    @Test
    void aWriteThatFailsLeavesNothingBehind() throws Exception {
        done(store.put("a", body("old")));
        Path temporary = root.resolve(".tmp");
        Files.delete(temporary);
        Files.writeString(temporary, "in the way");
        fails(Reason.TRANSIENT, store.put("a", body("new")));
        Files.delete(temporary);
        ByteBuf old = done(store.get("a", 0, 3));
        assertThat(old.toString(StandardCharsets.UTF_8)).isEqualTo("old");
        old.release();
        assertThat(done(store.list(""))).containsExactly(new Listed("a", 3));
        done(store.put("a", body("newer")));
        assertThat(done(store.list(""))).containsExactly(new Listed("a", 5));
    }

    @Test
    void leftoversOfWritersThatDiedAreSweptOnceTheyAreOld() throws Exception {
        Path temporary = Files.createDirectories(root.resolve(".tmp"));
        Path old = Files.writeString(temporary.resolve("old"), "x");
        Path young = Files.writeString(temporary.resolve("young"), "x");
        Files.setLastModifiedTime(old, FileTime.fromMillis(System.currentTimeMillis() - 7_200_000));
        done(store.put("a", body("one")));
        assertThat(old).doesNotExist();
        assertThat(young).exists();
        assertThat(done(store.list(""))).containsExactly(new Listed("a", 3));
    }

    @Test
    void noTemporaryFileIsLeftByWritesThatEnded() throws Exception {
        done(store.put("a", body("one")));
        done(store.putIfAbsent("b", body("two")));
        fails(Reason.ALREADY_EXISTS, store.putIfAbsent("b", body("three")));
        try (Stream<Path> left = Files.list(root.resolve(".tmp"))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void afterTheCloseRequestsAreRefused() {
        store.close();
        ByteBuf body = body("x");
        fails(Reason.REFUSED, store.put("a", body));
        assertThat(body.refCnt()).isZero();
        fails(Reason.REFUSED, store.get("a", 0, 1));
    }

    private static ByteBuf body(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    private static void fails(Reason reason, CompletionStage<?> stage) {
        assertThatThrownBy(() -> done(stage))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ObjectStoreException.class,
                        e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    }
}
