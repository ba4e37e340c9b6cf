package io.catchment.chaos.cluster;

import java.nio.file.Path;

/** An Apache Kafka cluster of one node. */
public final class KafkaServer implements Server {
    private static final int NODE = 1;
    private final KafkaCluster cluster;

    private KafkaServer(KafkaCluster cluster) {
        this.cluster = cluster;
    }

    public static KafkaServer up(Path directory) {
        return new KafkaServer(KafkaCluster.up(directory, 1));
    }

    @Override
    public String name() {
        return cluster.name();
    }

    @Override
    public String bootstrap() {
        return cluster.bootstrap();
    }

    @Override
    public long pid() {
        return cluster.pid(NODE);
    }

    @Override
    public void kill() {
        cluster.kill(NODE);
    }

    @Override
    public void stop() {
        cluster.stop(NODE);
    }

    @Override
    public void start() {
        cluster.start(NODE);
    }

    @Override
    public Path directory() {
        return cluster.directory();
    }

    @Override
    public void close() {
        cluster.close();
    }
}
