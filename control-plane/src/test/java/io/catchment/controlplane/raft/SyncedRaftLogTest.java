package io.catchment.controlplane.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.raft.LogOffsetMetadata;
import org.apache.kafka.raft.RaftLog;
import org.junit.jupiter.api.Test;

class SyncedRaftLogTest {
    private final List<String> calls = new ArrayList<>();
    private long end;
    private final SyncedRaftLog log = new SyncedRaftLog(recording());

    @Test
    void nothingIsAnnouncedAsCommittedBeforeItIsSynced() {
        end = 5;
        log.updateHighWatermark(new LogOffsetMetadata(5));
        assertThat(calls).containsExactly("flush", "updateHighWatermark 5");
    }

    @Test
    void whatIsSyncedAlreadyIsAnnouncedWithoutAnotherSync() {
        end = 5;
        log.flush(false);
        end = 9;
        calls.clear();
        log.updateHighWatermark(new LogOffsetMetadata(5));
        assertThat(calls).containsExactly("updateHighWatermark 5");
        log.updateHighWatermark(new LogOffsetMetadata(6));
        assertThat(calls).containsExactly("updateHighWatermark 5", "flush", "updateHighWatermark 6");
    }

    @Test
    void whatWasTruncatedAndWrittenAnewIsSyncedAnew() {
        end = 9;
        log.flush(false);
        log.truncateTo(4);
        end = 8;
        calls.clear();
        log.updateHighWatermark(new LogOffsetMetadata(6));
        assertThat(calls).containsExactly("flush", "updateHighWatermark 6");
    }

    private RaftLog recording() {
        return (RaftLog) Proxy.newProxyInstance(
                RaftLog.class.getClassLoader(), new Class<?>[] {RaftLog.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "endOffset" -> {
                            return new LogOffsetMetadata(end);
                        }
                        case "flush" -> calls.add("flush");
                        case "updateHighWatermark" ->
                            calls.add("updateHighWatermark " + ((LogOffsetMetadata) arguments[0]).offset());
                        case "truncateTo" -> calls.add("truncateTo");
                        default -> throw new UnsupportedOperationException(method.getName());
                    }
                    return null;
                });
    }
}
