package io.catchment.broker.node;

import io.catchment.broker.config.InvalidNodeConfigException;
import io.catchment.broker.config.NodeConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One node in the foreground: {@code catchment server --config FILE}. Ends on SIGTERM after a graceful stop. */
@Command(name = "server", mixinStandardHelpOptions = true, description = "Runs one node in the foreground.")
public final class CatchmentServer implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(CatchmentServer.class);
    private static final int EXIT_CONFIG = 2;
    static final int EXIT_FATAL = 3;
    /** EX_TEMPFAIL of sysexits.h. Whoever watches over this process is not to start it again: that would end the other one. */
    static final int EXIT_SUPERSEDED = 75;

    @Option(names = "--config", required = true, description = "The node's properties file.")
    private Path config = Path.of("node.properties");

    private CatchmentServer() {}

    public static void main(String[] args) {
        int code = new CommandLine(new CatchmentServer()).execute(args);
        if (code != 0) {
            Runtime.getRuntime().halt(code);
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        NodeConfig parsed;
        try {
            parsed = NodeConfig.of(read(config));
        } catch (InvalidNodeConfigException | IOException e) {
            log.error("The configuration {} cannot be used: {}", config, e.getMessage());
            System.err.println(config + ": " + e.getMessage());
            return EXIT_CONFIG;
        }
        Node node = new Node(parsed, CatchmentServer::halt);
        CountDownLatch stopped = new CountDownLatch(1);
        Thread stop = new Thread(
                () -> {
                    try {
                        node.close();
                    } finally {
                        stopped.countDown();
                    }
                },
                "stop");
        Runtime.getRuntime().addShutdownHook(stop);
        try {
            node.start();
        } catch (Throwable e) {
            log.error("This node cannot start: {}", e.getMessage(), e);
            System.err.println("This node cannot start: " + e.getMessage());
            return EXIT_FATAL;
        }
        stopped.await();
        return 0;
    }

    static Map<String, String> read(Path file) throws IOException {
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
        }
        Map<String, String> result = new HashMap<>();
        properties.forEach((key, value) -> result.put(key.toString(), value.toString()));
        return result;
    }

    /** A node that cannot trust its own state any more ends at once: what it acknowledged is on disk. */
    private static void halt(Throwable cause) {
        try {
            log.error("This node cannot go on and ends now: {}", cause.getMessage(), cause);
        } finally {
            Runtime.getRuntime().halt(exitCode(cause));
        }
    }

    static int exitCode(Throwable cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof SupersededException) {
                return EXIT_SUPERSEDED;
            }
        }
        return EXIT_FATAL;
    }
}
