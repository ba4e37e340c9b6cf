package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RangeStashTest {
    @TempDir
    private Path folder;

    @Test
    void whatDoesNotFitInMemoryComesBackFromAFileThatNobodySees() {
        Path directory = folder.resolve("scratch");
        RangeStash stash = new RangeStash(new UnpooledByteBufAllocator(false, true), 10_000, directory);
        Random random = new Random(1);
        List<byte[]> all = new ArrayList<>();
        List<RangeStash.Kept> kept = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            byte[] bytes = new byte[1 + random.nextInt(3_000)];
            random.nextBytes(bytes);
            all.add(bytes);
            kept.add(stash.keep(Unpooled.wrappedBuffer(bytes)));
        }
        assertThat(kept).anyMatch(each -> each.memory() == null).anyMatch(each -> each.memory() != null);
        assertThat(directory).as("gone with the process").isEmptyDirectory();
        for (int i = 19; i >= 0; i--) {
            ByteBuf back = stash.take(kept.get(i));
            byte[] bytes = new byte[back.readableBytes()];
            assertThat(back.nioBufferCount()).isOne();
            back.readBytes(bytes).release();
            assertThat(bytes).isEqualTo(all.get(i));
        }
        stash.close();
        stash.close();
    }

    @Test
    void otherBytesThanWereKeptAreNotGivenBack() {
        RangeStash stash = new RangeStash(new UnpooledByteBufAllocator(false, true), 0, folder);
        RangeStash.Kept first = stash.keep(Unpooled.wrappedBuffer(new byte[] {1, 2, 3}));
        RangeStash.Kept second = stash.keep(Unpooled.wrappedBuffer(new byte[] {1, 2, 4}));
        RangeStash.Kept wrong = new RangeStash.Kept(null, second.position(), second.length(), first.crc());
        assertThatThrownBy(() -> stash.take(wrong)).hasMessageContaining("other bytes");
        stash.close();
    }

    @Test
    void aFolderThatCannotBeWrittenFailsTheMergeAlone() throws Exception {
        RangeStash stash = new RangeStash(
                new UnpooledByteBufAllocator(false, true), 0, Files.createFile(folder.resolve("no-folder")));
        assertThatThrownBy(() -> stash.keep(Unpooled.wrappedBuffer(new byte[] {1})))
                .isInstanceOf(UncheckedIOException.class);
        stash.close();
    }
}
