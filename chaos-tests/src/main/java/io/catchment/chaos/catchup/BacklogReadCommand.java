package io.catchment.chaos.catchup;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** chaos backlog-read: the process with the readers of {@code chaos catchup}. Its last line is for that. */
@Command(
        name = "backlog-read",
        hidden = true,
        description =
                "Reads a topic of stamped records from its beginning with several consumers, each record checked.")
public final class BacklogReadCommand implements Callable<Integer> {
    @Option(names = "--bootstrap", required = true)
    private String bootstrap = "";

    @Option(names = "--topic", required = true)
    private String topic = "";

    @Option(names = "--partitions", required = true)
    private int partitions;

    @Option(names = "--readers", required = true)
    private int readers;

    @Override
    public Integer call() throws InterruptedException {
        List<BacklogReader> all = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        long start = System.nanoTime();
        for (int reader = 0; reader < readers; reader++) {
            List<TopicPartition> own = new ArrayList<>();
            for (int partition = reader; partition < partitions; partition += readers) {
                own.add(new TopicPartition(topic, partition));
            }
            var one = new BacklogReader(bootstrap, own);
            all.add(one);
            var thread = new Thread(one::run, "backlog-" + reader);
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        long records = 0;
        long bytes = 0;
        int violations = 0;
        for (BacklogReader one : all) {
            records += one.records();
            bytes += one.bytes();
            violations += one.violations().size();
            one.violations().forEach(System.out::println);
        }
        double cpu =
                ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
        System.out.println(new BacklogRead(records, bytes, seconds, cpu, violations).line());
        return 0;
    }
}
