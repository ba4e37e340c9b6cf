package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.Checkout;
import io.catchment.chaos.history.AckInterceptor;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The stock kafka-producer-perf-test as a process of its own, with our interceptor to keep the record. */
final class PerfTestLoad implements Load {
    private final long records;
    private final Path ackFile;
    private final Path output;
    private final AckLog acks;
    private final Verdict verdict;
    private final Process process;

    PerfTestLoad(
            String bootstrap, String topic, long records, int valueBytes, Path ackFile, AckLog acks, Verdict verdict)
            throws IOException {
        this.records = records;
        this.ackFile = ackFile;
        this.output = ackFile.resolveSibling(ackFile.getFileName() + ".out");
        this.acks = acks;
        this.verdict = verdict;
        var builder = new ProcessBuilder(List.of(
                Checkout.kafkaTool().toString(),
                "producer-perf-test",
                "--bootstrap-server",
                bootstrap,
                "--topic",
                topic,
                "--num-records",
                String.valueOf(records),
                "--record-size",
                String.valueOf(valueBytes),
                "--throughput",
                "-1",
                "--command-property",
                "acks=all",
                "enable.idempotence=true",
                "delivery.timeout.ms=600000",
                "request.timeout.ms=15000",
                "max.block.ms=300000",
                "reconnect.backoff.max.ms=200",
                "interceptor.classes=" + AckInterceptor.class.getName(),
                AckInterceptor.FILE_CONFIG + "=" + ackFile));
        builder.environment()
                .put("KAFKA_TOOL_CLASSPATH", Checkout.chaosClasses().toString());
        this.process = builder.redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    @Override
    public long acknowledged() {
        try {
            return AckInterceptor.progress(ackFile);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean running() {
        return process.isAlive();
    }

    @Override
    public void join(Duration limit) {
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(
                        "kafka-producer-perf-test not done within " + limit + ", see " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void collect() throws IOException {
        long failed = AckInterceptor.load(ackFile, 0, acks);
        if (failed > 0 || process.exitValue() != 0) {
            String text = Files.readString(output);
            verdict.violation(
                    Violation.Kind.FAILED,
                    "kafka-producer-perf-test returned %d, %d sends failed: %s"
                            .formatted(process.exitValue(), failed, text.substring(Math.max(0, text.length() - 500))));
        }
    }

    @Override
    public Map<Integer, Long> sentByProducer() {
        return Map.of(0, records);
    }

    @Override
    public void close() {
        // the shell script replaces itself by the JVM, so this is the JVM
        process.destroyForcibly();
    }
}
