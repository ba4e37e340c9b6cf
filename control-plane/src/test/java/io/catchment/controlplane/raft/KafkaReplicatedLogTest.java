package io.catchment.controlplane.raft;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.LogListener;
import io.catchment.controlplane.log.LogReader;
import io.catchment.controlplane.log.SnapshotReader;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KafkaReplicatedLogTest {
    @TempDir
    Path temp;

    /** It is asked on the control thread with each heartbeat: a name server that does not answer must not hold that up. */
    @Test
    void theAddressOfAControllerIsItsNameAsItIs() throws Exception {
        Queue<Throwable> fatal = new ConcurrentLinkedQueue<>();
        RaftConfig config = new RaftConfig(
                1, "c", temp, true, false, "CONTROLLER", "localhost", 19_093, List.of(), 300, 1000, 1000, 8 << 20, 1);
        try (KafkaReplicatedLog log = KafkaReplicatedLog.open(config, true, Time.SYSTEM, fatal::add)) {
            log.start(new Deaf());
            assertThat(log.address(1)).hasValue(InetSocketAddress.createUnresolved("localhost", 19_093));
            assertThat(log.address(2)).isEmpty();
        }
        assertThat(fatal).isEmpty();
    }

    private static final class Deaf implements LogListener {
        @Override
        public void committed(LogReader batches) {
            batches.close();
        }

        @Override
        public void snapshot(SnapshotReader snapshot) {
            snapshot.close();
        }

        @Override
        public void leadership(Leadership leadership) {}
    }
}
