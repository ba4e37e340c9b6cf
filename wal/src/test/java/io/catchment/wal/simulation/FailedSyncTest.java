package io.catchment.wal.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.Lane;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.store.ExtentStore;
import io.catchment.wal.store.StoreConfig;
import io.catchment.wal.testing.TestGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * After a sync that failed the page cache shows bytes as clean that are not on disk, for as long as it likes. What a store
 * answers for must survive a power loss all the same, whatever the failed sync wrote: each test runs over many seeds.
 */
final class FailedSyncTest {
    private static final int SEEDS = 100;
    private static final StoreConfig CONFIG = new StoreConfig(64 << 10, 0, 0, 1 << 20);
    private static final ExtentHeader EXTENT = new ExtentHeader(5, 1, 1, Lane.NORMAL, 2);
    private static final int GROUPS = 6;

    private SimDisk disk;
    private ExtentStore store;
    private long recoveryEpoch;

    private void begin(long seed) throws IOException {
        disk = new SimDisk(new SplittableRandom(seed));
        store = open(disk);
        recoveryEpoch = 10;
    }

    private static ExtentStore open(SimDisk disk) throws IOException {
        return ExtentStore.open(disk, CONFIG, CRC32C::new, System::nanoTime, UUID::randomUUID);
    }

    private void restart(boolean powerLoss) throws IOException {
        disk.crash(powerLoss);
        store = open(disk);
    }

    /** What a writer wrote, group by group, on another store. */
    private static ByteBuffer written() throws IOException {
        ExtentStore source = open(new SimDisk(new SplittableRandom(1)));
        source.create(EXTENT);
        long end = append(source, GROUPS);
        return source.fetch(EXTENT.extentId(), ExtentHeader.BYTES, (int) (end - ExtentHeader.BYTES));
    }

    private static long append(ExtentStore store, int groups) throws IOException {
        long end = ExtentHeader.BYTES;
        for (int i = 0; i < groups; i++) {
            end = store.append(group(end, i)).durableLength();
        }
        return end;
    }

    private static TestGroup group(long position, int i) {
        return new TestGroup(EXTENT.extentId(), position, i * 3L, 3, 900 + i);
    }

    private void failNextSync() {
        disk.failSync(0, () -> {});
    }

    /** As often as a recovery would ask. */
    private long fence() throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return store.fence(EXTENT, recoveryEpoch++);
            } catch (IOException again) {
                if (attempt == 5 || again instanceof CorruptExtentException) {
                    throw again;
                }
            }
        }
    }

    private void answeredLengthSurvivesPowerLoss(long seed) throws IOException {
        long answered = fence();
        restart(true);
        assertThat(fence()).as("after power loss, seed %d", seed).isGreaterThanOrEqualTo(answered);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPieceOfManyGroupsWhoseSyncFailedIsAnsweredOnlyOnceItIsOnDisk(boolean restarted) throws IOException {
        ByteBuffer written = written();
        for (long seed = 1; seed <= SEEDS; seed++) {
            begin(seed);
            assertThat(store.fence(EXTENT, recoveryEpoch)).isZero();
            // Pieces end anywhere, also within a frame.
            int first = written.remaining() / 2;
            long end = store.copy(EXTENT, recoveryEpoch, ExtentHeader.BYTES, written.slice(0, first));
            failNextSync();
            ByteBuffer second = written.slice(first, written.remaining() - first);
            assertThatThrownBy(() -> store.copy(EXTENT, recoveryEpoch, end, second))
                    .isInstanceOf(IOException.class);
            recoveryEpoch++;
            if (restarted) {
                restart(false);
            }
            answeredLengthSurvivesPowerLoss(seed);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aGroupWhoseSyncFailedIsAnsweredOnlyOnceItIsOnDisk(int syncsThatFailAgain) throws IOException {
        for (long seed = 1; seed <= SEEDS; seed++) {
            begin(seed);
            failTheLastGroup();
            restart(false);
            for (int i = 0; i < syncsThatFailAgain; i++) {
                failNextSync();
                assertThatThrownBy(() -> store.fence(EXTENT, recoveryEpoch++)).isInstanceOf(IOException.class);
            }
            answeredLengthSurvivesPowerLoss(seed);
        }
    }

    private long failTheLastGroup() throws IOException {
        store.create(EXTENT);
        long end = append(store, GROUPS - 1);
        TestGroup last = group(end, GROUPS);
        failNextSync();
        assertThatThrownBy(() -> store.append(last)).isInstanceOf(IOException.class);
        return last.endPosition();
    }

    @Test
    void aCopyThatNoRecordNamesBecomesAHoldersOnlyOnceItIsOnDisk() throws IOException {
        int verified = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            begin(seed);
            long length = failTheLastGroup();
            restart(false);
            try {
                store.verify(EXTENT.extentId(), length);
            } catch (IOException notWhole) {
                continue;
            }
            verified++;
            restart(true);
            store.settle(EXTENT.extentId(), length);
            assertThat(store.whole(EXTENT.extentId(), length))
                    .as("after power loss, seed %d", seed)
                    .isTrue();
        }
        assertThat(verified).isPositive();
    }
}
