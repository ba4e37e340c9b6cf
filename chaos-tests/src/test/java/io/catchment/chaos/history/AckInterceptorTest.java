package io.catchment.chaos.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AckInterceptorTest {
    @TempDir
    private Path folder;

    @Test
    void acknowledgementsAndFailuresOfAnotherProcessAreReadBack() throws Exception {
        Path file = folder.resolve("acks");
        var interceptor = new AckInterceptor();
        interceptor.configure(Map.of(AckInterceptor.FILE_CONFIG, file));
        byte[] value = "v".getBytes(StandardCharsets.UTF_8);
        var same = new ProducerRecord<byte[], byte[]>("t", value);
        var first = interceptor.onSend(same);
        var second = interceptor.onSend(same);
        assertThat(first.headers().toArray()).hasSize(1);
        assertThat(second.headers().toArray()).hasSize(1);
        interceptor.onAcknowledgement(
                new RecordMetadata(new TopicPartition("t", 3), 41, 0, 0, 0, 1), null, first.headers());
        interceptor.onAcknowledgement(null, new IllegalStateException("no"), second.headers());
        interceptor.close();

        assertThat(AckInterceptor.progress(file)).isEqualTo(2);
        var acks = new AckLog();
        assertThat(AckInterceptor.load(file, 0, acks)).isEqualTo(1);
        var verdict = new Verdict();
        var checker = new HistoryChecker(acks, Map.of(0, 2L), verdict);
        for (long offset = 0; offset < 41; offset++) {
            // offsets 0..40 stand for records of others: noticed, as they must be
            checker.read(3, offset, null, value);
        }
        checker.read(3, 41, Stamp.readFrom(first.headers()), value);
        checker.finish();
        assertThat(verdict.count()).isEqualTo(41);
        assertThat(checker.unacknowledgedCount()).isZero();
    }
}
