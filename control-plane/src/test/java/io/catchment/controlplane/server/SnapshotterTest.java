package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.catchment.controlplane.command.Script;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.LogListener;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.log.SnapshotSink;
import io.catchment.controlplane.proto.CommandDone;
import io.catchment.controlplane.proto.Record;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.junit.jupiter.api.Test;

class SnapshotterTest {
    private final KeepingLog log = new KeepingLog();
    private final Snapshotter snapshotter = new Snapshotter(log, Executors.newSingleThreadExecutor(), 1, 3_600_000);

    @Test
    void theAnswersOfOneSessionMayBeMoreThanFitsIntoABatch() {
        StateImage empty = Script.ofOneNode().image();
        ImageStep step = ImageStep.after(empty);
        for (int sequence = 1; sequence <= 4; sequence++) {
            step.replay(LogRecord.own(Record.newBuilder()
                    .setCommandDone(CommandDone.newBuilder()
                            .setSessionId(7)
                            .setSequence(sequence)
                            .setAckedBelow(1)
                            .setAnswer(ByteString.copyFrom(new byte[3 << 20])))));
        }
        StateImage image = step.finish().image();

        snapshotter.replayed(image, 1, 0);
        snapshotter.close();

        ImageStep loaded = ImageStep.instead(empty);
        log.kept.forEach(loaded::replay);
        assertThat(log.frozen).isTrue();
        assertThat(loaded.finish().image().state()).isEqualTo(image.state());
    }

    @Test
    void oneThatBecomesDueWhileTheNodeClosesIsLeftOut() {
        snapshotter.close();
        snapshotter.replayed(Script.ofOneNode().image(), 1, 0);
        assertThat(log.frozen).isFalse();
    }

    /** Takes what Kafka's writer of snapshots takes. */
    private static final class KeepingLog implements ReplicatedLog, SnapshotSink {
        private static final int BATCH_BYTES = 8 << 20;

        private final List<LogRecord> kept = new ArrayList<>();
        private volatile boolean frozen;

        @Override
        public Optional<SnapshotSink> snapshot(long lastOffset, int lastEpoch, long lastTimestampMs) {
            return Optional.of(this);
        }

        @Override
        public void append(List<LogRecord> records) {
            long bytes = records.stream()
                    .mapToLong(record -> LogRecordSerde.INSTANCE.recordSize(record, new ObjectSerializationCache()))
                    .sum();
            if (bytes > BATCH_BYTES) {
                throw new IllegalArgumentException(bytes + " bytes at once");
            }
            kept.addAll(records);
        }

        @Override
        public long freeze() {
            frozen = true;
            return kept.size();
        }

        @Override
        public void close() {}

        @Override
        public void start(LogListener listener) {
            throw new UnsupportedOperationException();
        }

        @Override
        public OptionalLong propose(int leaderEpoch, List<LogRecord> batch) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<InetSocketAddress> address(int nodeId) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletionStage<ByteBuffer> answer(ByteBuffer frame) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void leaderIsGone(Leadership leadership) {
            throw new UnsupportedOperationException();
        }
    }
}
