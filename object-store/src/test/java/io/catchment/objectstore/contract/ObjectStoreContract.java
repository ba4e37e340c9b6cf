package io.catchment.objectstore.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What every store must do. A subclass opens one that is empty below {@link #prefix}. */
abstract class ObjectStoreContract {

    abstract ObjectStore store();

    /** A name of its own for each test. */
    abstract String prefix();

    @Test
    void whatWasPutIsReadBack() {
        put("a", "hello world");
        assertThat(get("a", 0, 11)).isEqualTo("hello world");
    }

    @Test
    void aRangeIsExactlyTheBytesAskedFor() {
        put("ranges/a", "0123456789");
        assertThat(get("ranges/a", 0, 1)).isEqualTo("0");
        assertThat(get("ranges/a", 3, 4)).isEqualTo("3456");
        assertThat(get("ranges/a", 9, 1)).isEqualTo("9");
    }

    @Test
    void putReplacesTheWholeObject() {
        put("a", "a first and longer one");
        put("a", "second");
        assertThat(get("a", 0, 6)).isEqualTo("second");
        fails(Reason.CORRUPT, () -> get("a", 0, 7));
        assertThat(list("a")).containsExactly(new Listed(prefix() + "a", 6));
    }

    @Test
    void onlyTheReadableBytesArePutAndTheReferenceIsReleased() {
        ByteBuf body = Unpooled.directBuffer().writeBytes(ascii("skip0123rest"));
        body.readerIndex(4).writerIndex(8);
        done(store().put(key("slice"), body));
        assertThat(get("slice", 0, 4)).isEqualTo("0123");
        fails(Reason.CORRUPT, () -> get("slice", 0, 5));
        eventuallyReleased(body);
    }

    @Test
    void aCompositeBodyIsPutInOrder() {
        CompositeByteBuf body = ByteBufAllocator.DEFAULT.compositeBuffer(64);
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            String piece = "piece-" + i + ";";
            expected.append(piece);
            ByteBuf part = i % 2 == 0
                    ? Unpooled.wrappedBuffer(ascii(piece))
                    : Unpooled.directBuffer().writeBytes(ascii(piece));
            body.addComponent(true, part);
        }
        done(store().put(key("composite"), body));
        assertThat(get("composite", 0, expected.length())).isEqualTo(expected.toString());
        eventuallyReleased(body);
    }

    @Test
    void readingPastTheEndIsCorruptNotShort() {
        put("short", "12345");
        fails(Reason.CORRUPT, () -> get("short", 3, 3));
        fails(Reason.CORRUPT, () -> get("short", 5, 1));
        fails(Reason.CORRUPT, () -> get("short", 100, 1));
    }

    @Test
    void aMissingObjectIsNotFound() {
        fails(Reason.NOT_FOUND, () -> get("nothing/here", 0, 1));
    }

    @Test
    void anEmptyObjectExists() {
        put("empty", "");
        assertThat(get("empty", 0, 0)).isEmpty();
        assertThat(list("empty")).containsExactly(new Listed(prefix() + "empty", 0));
        fails(Reason.NOT_FOUND, () -> get("no-such-empty", 0, 0));
    }

    @Test
    void putIfAbsentRefusesWhatExists() {
        done(store().putIfAbsent(key("once"), buffer("first")));
        ByteBuf second = buffer("second");
        fails(Reason.ALREADY_EXISTS, () -> done(store().putIfAbsent(key("once"), second)));
        eventuallyReleased(second);
        assertThat(get("once", 0, 5)).isEqualTo("first");
    }

    @Test
    void ofManyConcurrentPutIfAbsentsExactlyOneWins() throws Exception {
        for (int round = 0; round < 5; round++) {
            String key = key("race-" + round);
            int racers = 12;
            CountDownLatch go = new CountDownLatch(1);
            List<Integer> winners = java.util.Collections.synchronizedList(new ArrayList<>());
            List<Throwable> surprises = java.util.Collections.synchronizedList(new ArrayList<>());
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < racers; i++) {
                int racer = i;
                Thread thread = new Thread(() -> {
                    try {
                        go.await();
                        done(store().putIfAbsent(key, buffer("racer-" + (100 + racer))));
                        winners.add(racer);
                    } catch (ObjectStoreException lost) {
                        // TRANSIENT: a conflict that a server may report instead.
                        if (lost.reason() != Reason.ALREADY_EXISTS && lost.reason() != Reason.TRANSIENT) {
                            surprises.add(lost);
                        }
                    } catch (Throwable surprise) {
                        surprises.add(surprise);
                    }
                });
                thread.start();
                threads.add(thread);
            }
            go.countDown();
            for (Thread thread : threads) {
                thread.join(30_000);
            }
            assertThat(surprises).isEmpty();
            assertThat(winners).hasSize(1);
            assertThat(get("race-" + round, 0, 9)).isEqualTo("racer-" + (100 + winners.get(0)));
        }
    }

    @Test
    void deleteRemovesAndForgivesWhatIsMissing() {
        put("d/1", "x");
        put("d/2", "y");
        put("d/3", "z");
        done(store().delete(List.of(key("d/1"), key("d/no-such"), key("d/3"))));
        assertThat(list("d/")).containsExactly(new Listed(prefix() + "d/2", 1));
        fails(Reason.NOT_FOUND, () -> get("d/1", 0, 1));
        done(store().delete(List.of()));
        put("d/1", "again");
        assertThat(get("d/1", 0, 5)).isEqualTo("again");
    }

    @Test
    void listAnswersInKeyOrderWithSizes() {
        put("l/b/2", "22");
        put("l/a", "1");
        put("l/b/10", "333");
        put("l/c", "");
        put("lx", "no");
        assertThat(list("l/"))
                .containsExactly(
                        new Listed(prefix() + "l/a", 1),
                        new Listed(prefix() + "l/b/10", 3),
                        new Listed(prefix() + "l/b/2", 2),
                        new Listed(prefix() + "l/c", 0));
        assertThat(list("l/b/1")).containsExactly(new Listed(prefix() + "l/b/10", 3));
        assertThat(list("nothing-has-this")).isEmpty();
    }

    @Test
    void moreObjectsThanOnePageAreListedAndDeleted() {
        int count = 1100;
        List<CompletionStage<Void>> puts = new ArrayList<>();
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String key = key(String.format("many/%02x/%05d", i % 7, i));
            keys.add(key);
            puts.add(store().put(key, buffer("n" + i)));
            if (puts.size() == 50) {
                puts.forEach(ObjectStoreContract::done);
                puts.clear();
            }
        }
        puts.forEach(ObjectStoreContract::done);
        assertThat(list("many/"))
                .extracting(Listed::key)
                .containsExactlyElementsOf(keys.stream().sorted().toList());
        done(store().delete(keys));
        assertThat(list("many/")).isEmpty();
    }

    @Test
    void oddKeysAreKept() {
        List<String> odd = List.of(
                "with space",
                "plus+and=equals",
                "percent%20",
                "ünïcödé/日本",
                "dots..in...it",
                ".leading",
                "q?a&b#c",
                "~tilde'(paren)!*",
                "UPPER/lower");
        for (String name : odd) {
            put("odd/" + name, "value of " + name.length());
        }
        for (String name : odd) {
            String value = "value of " + name.length();
            assertThat(get("odd/" + name, 0, value.length())).isEqualTo(value);
        }
        assertThat(list("odd/"))
                .extracting(Listed::key)
                .containsExactlyInAnyOrderElementsOf(
                        odd.stream().map(name -> prefix() + "odd/" + name).toList());
        done(store().delete(odd.stream().map(name -> key("odd/" + name)).toList()));
        assertThat(list("odd/")).isEmpty();
    }

    @Test
    void impossibleKeysAreAProgrammingError() {
        for (String name : List.of("/a", "a//b", "a/", "a/../b", ".", "a\nb", "", "k".repeat(600))) {
            ByteBuf body = buffer("x");
            assertThatThrownBy(() -> done(store().put(name, body))).isInstanceOf(IllegalArgumentException.class);
            assertThat(body.refCnt()).as("body put to '%s'", name).isZero();
        }
    }

    @Test
    void aLargeBodyOf64MiBComesBackWhole() {
        byte[] chunk = new byte[1 << 20];
        new Random(7).nextBytes(chunk);
        CompositeByteBuf body = ByteBufAllocator.DEFAULT.compositeBuffer(64);
        CRC32C expected = new CRC32C();
        for (int i = 0; i < 64; i++) {
            chunk[0] = (byte) i;
            expected.update(chunk);
            body.addComponent(
                    true, ByteBufAllocator.DEFAULT.directBuffer(chunk.length).writeBytes(chunk));
        }
        done(store().put(key("large"), body));
        CRC32C actual = new CRC32C();
        for (int i = 0; i < 8; i++) {
            ByteBuf read = done(store().get(key("large"), (long) i * (8 << 20), 8 << 20));
            for (java.nio.ByteBuffer piece : read.nioBuffers()) {
                actual.update(piece);
            }
            read.release();
        }
        assertThat(actual.getValue()).isEqualTo(expected.getValue());
        eventuallyReleased(body);
    }

    @Test
    void manyRequestsAtATimeAreAllAnswered() {
        List<CompletionStage<Void>> puts = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            puts.add(store().put(key("p/" + i), buffer("body " + i)));
        }
        puts.forEach(ObjectStoreContract::done);
        List<CompletionStage<ByteBuf>> gets = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            gets.add(store().get(key("p/" + i), 5, Integer.toString(i).length()));
        }
        for (int i = 0; i < 64; i++) {
            assertThat(text(done(gets.get(i)))).isEqualTo(Integer.toString(i));
        }
    }

    // ---- steps

    final String key(String name) {
        return prefix() + name;
    }

    final void put(String name, String value) {
        done(store().put(key(name), buffer(value)));
    }

    final String get(String name, long position, int length) {
        return text(done(store().get(key(name), position, length)));
    }

    final List<Listed> list(String name) {
        return done(store().list(key(name)));
    }

    static void fails(Reason reason, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(ObjectStoreException.class, e -> assertThat(e.reason())
                .as(e.getMessage())
                .isEqualTo(reason));
    }

    static <T> T done(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw failed;
        }
    }

    /** The stage may be done a moment before the last reference is given back. */
    static void eventuallyReleased(ByteBuf body) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (body.refCnt() > 0 && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(body.refCnt()).isZero();
    }

    static ByteBuf buffer(String value) {
        return Unpooled.wrappedBuffer(value.getBytes(StandardCharsets.UTF_8));
    }

    static String text(ByteBuf bytes) {
        try {
            return new String(ByteBufUtil.getBytes(bytes), StandardCharsets.UTF_8);
        } finally {
            bytes.release();
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
