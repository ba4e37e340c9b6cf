package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CatchmentServerTest {
    /** Each of two processes with one node id would be started again and end the other, for ever. */
    @Test
    void theUnitDoesNotStartAgainWhatAnotherProcessHasSuperseded() throws Exception {
        int code =
                CatchmentServer.exitCode(new IllegalStateException("no epoch", new SupersededException("elsewhere")));
        assertThat(code).isEqualTo(CatchmentServer.EXIT_SUPERSEDED).isNotEqualTo(CatchmentServer.EXIT_FATAL);
        assertThat(Files.readAllLines(Path.of("../deploy/conf/catchment.service")))
                .contains("RestartPreventExitStatus=" + code);
        assertThat(CatchmentServer.exitCode(new IllegalStateException("a disk")))
                .isEqualTo(CatchmentServer.EXIT_FATAL);
    }
}
