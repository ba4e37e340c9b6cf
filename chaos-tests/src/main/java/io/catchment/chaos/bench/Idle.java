package io.catchment.chaos.bench;

import io.catchment.chaos.workload.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Creation of a topic with many partitions, then CPU and memory while nothing happens. */
record Idle(String name, int partitions, Duration settle, Duration time) implements Workload {

    @Override
    public Map<String, Double> run(Contender contender, String topic, Path scratch) throws InterruptedException {
        Map<String, Double> values = new TreeMap<>();
        long start = System.nanoTime();
        Topics.create(contender.bootstrap(), topic, partitions);
        values.put("create_s", (System.nanoTime() - start) / 1e9);
        TimeUnit.MILLISECONDS.sleep(settle.toMillis());
        double cpu = contender.cpuSeconds();
        long begin = System.nanoTime();
        TimeUnit.MILLISECONDS.sleep(time.toMillis());
        values.put("idle_cpu_percent_of_core", (contender.cpuSeconds() - cpu) * 1e11 / (System.nanoTime() - begin));
        values.put("rss_mb", contender.residentMb());
        Topics.delete(contender.bootstrap(), topic);
        return values;
    }
}
