package io.catchment.chaos.cluster;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the project's own programs lie. */
public final class Checkout {
    private Checkout() {}

    public static Path launcher() {
        return program("deploy/bin/catchment");
    }

    public static Path kafkaTool() {
        return program("chaos-tests/bin/kafka-tool");
    }

    /** A Kafka Streams application, one source file. */
    public static Path streamsApplication() {
        return root().resolve("chaos-tests/streams/OrdersApp.java");
    }

    /** Fetches and compiles programs on stock client libraries. */
    public static Path clientInstaller() {
        return program("chaos-tests/clients/install");
    }

    /** Errors only. */
    public static Path toolLogging() {
        return root().resolve("chaos-tests/bench/log4j2-tools.properties");
    }

    /** Calls of Kafka's tools; what they read lies beside it. */
    public static Path toolSteps() {
        return root().resolve("chaos-tests/tools/steps.txt");
    }

    public static Path kafkaJars() {
        return program("chaos-tests/bench/kafka-jars");
    }

    public static Path kafkaNode() {
        return program("chaos-tests/bench/kafka-node");
    }

    /** Our own classes, for the class path of a stock tool. */
    public static Path chaosClasses() {
        return root().resolve("chaos-tests/target/classes");
    }

    /** File with the class path of the object store's tests, which have an S3 server. */
    static Path testClassPath() {
        return root().resolve("chaos-tests/target/test-classpath");
    }

    /** Jars of the distribution, as a class path entry. */
    static String distribution() {
        return root().resolve("deploy/target/dist/lib") + "/*";
    }

    private static Path program(String path) {
        Path program = root().resolve(path);
        if (!Files.isExecutable(program)) {
            throw new IllegalStateException(
                    program + " is missing: set -Dcatchment.checkout to the folder of the project");
        }
        return program;
    }

    private static Path root() {
        return Path.of(System.getProperty("catchment.checkout", "."))
                .toAbsolutePath()
                .normalize();
    }
}
