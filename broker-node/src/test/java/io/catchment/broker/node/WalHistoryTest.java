package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalHistoryTest {
    private static final Uuid FIRST = new Uuid(4, 1);
    private static final Uuid SECOND = new Uuid(4, 2);

    @TempDir
    private Path temp;

    private Path extent(Path wal) throws IOException {
        return Files.createFile(wal.resolve("extent-0000000000000007-00000010.sealed"));
    }

    @Test
    void extentsBelongToTheHistoryThatTheirDirectoryWasFirstUsedIn() throws Exception {
        Path wal = temp.resolve("new/wal");
        assertThat(WalHistory.claim(wal, FIRST)).isEmpty();
        Path extent = extent(wal);
        assertThat(WalHistory.claim(wal, FIRST)).as("at each start").isEmpty();
        assertThat(WalHistory.claim(wal, SECOND).orElseThrow())
                .contains(wal.toString())
                .contains("catchment recover");
        assertThat(WalHistory.claim(wal, Uuid.ZERO_UUID)).isPresent();
        assertThat(WalHistory.claim(wal, FIRST)).as("nothing was changed").isEmpty();

        Files.delete(extent);
        assertThat(WalHistory.claim(wal, SECOND)).as("there is nothing to lose").isEmpty();
        extent(wal);
        assertThat(WalHistory.claim(wal, FIRST)).isPresent();
    }

    @Test
    void aDirectoryFromBeforeThereWereIdsGoesOnWithAStateFromThenAndNoOther() throws Exception {
        extent(temp);
        assertThat(WalHistory.claim(temp, Uuid.ZERO_UUID)).isEmpty();
        assertThat(WalHistory.claim(temp, FIRST)).isPresent();
    }

    @Test
    void aDamagedFileIsNamed() throws Exception {
        Files.writeString(temp.resolve("history.id"), "?");
        assertThatThrownBy(() -> WalHistory.claim(temp, FIRST))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("history.id is damaged");
    }
}
