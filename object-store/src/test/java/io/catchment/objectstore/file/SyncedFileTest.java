package io.catchment.objectstore.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SyncedFileTest {
    private static final int MIB = 1 << 20;
    private final PooledByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;

    @TempDir
    Path directory;

    /** Sizes around what is written past the page cache in whole blocks: each has an end that is not. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, MIB - 1, MIB, MIB + 1, MIB + 4095, MIB + 4096, 2 * MIB + 513, 5 * MIB - 4097})
    void theFileIsTheBodyWhateverItsSize(int bytes) throws Exception {
        byte[] expected = new byte[bytes];
        new Random(bytes).nextBytes(expected);
        Path file = directory.resolve("x");
        ByteBuf body =
                Unpooled.directBuffer(bytes + 7).writeZero(7).skipBytes(7).writeBytes(expected);
        SyncedFile.write(file, body, allocator);
        assertThat(Files.readAllBytes(file)).isEqualTo(expected);
        assertThat(body.readableBytes()).isEqualTo(bytes);
        body.release();
    }

    /** A bundle's body: thousands of slices of odd lengths. */
    @Test
    void aBodyOfManyPiecesIsWrittenInTheirOrder() throws Exception {
        Random random = new Random(1);
        byte[] expected = new byte[3 * MIB + 77];
        random.nextBytes(expected);
        CompositeByteBuf body = Unpooled.compositeBuffer(100_000);
        int at = 0;
        while (at < expected.length) {
            int length = Math.min(expected.length - at, 1 + random.nextInt(3000));
            body.addComponent(true, Unpooled.directBuffer(length).writeBytes(expected, at, length));
            at += length;
        }
        Path file = directory.resolve("x");
        SyncedFile.write(file, body, allocator);
        assertThat(Files.readAllBytes(file)).isEqualTo(expected);
        body.release();
    }

    @Test
    void aDirectoryThatIsNotThereIsAnErrorAndNotAnEmptyFile() {
        ByteBuf body = Unpooled.directBuffer().writeZero(2 * MIB);
        assertThatThrownBy(() -> SyncedFile.write(directory.resolve("none/x"), body, allocator))
                .isInstanceOf(IOException.class);
        body.release();
    }
}
