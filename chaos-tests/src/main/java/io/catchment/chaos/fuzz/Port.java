package io.catchment.chaos.fuzz;

import io.catchment.chaos.cluster.CatchmentCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A port of a node, as its properties say. Immutable. */
public record Port(int node, Kind kind, InetSocketAddress address) {
    public enum Kind {
        CLIENTS("PLAINTEXT"),
        CONTROLLER("CONTROLLER"),
        WAL("WAL");

        private final String listener;

        Kind(String listener) {
            this.listener = listener;
        }
    }

    static List<Port> of(CatchmentCluster cluster) {
        List<Port> ports = new ArrayList<>();
        for (int node : cluster.nodes()) {
            String text = read(cluster.directory().resolve("node-" + node + "/node.properties"));
            for (Kind kind : Kind.values()) {
                find(text, "(?m)^listeners=.*?" + kind.listener + "://([^,:]+):(\\d+)")
                        .ifPresent(found -> ports.add(new Port(
                                node, kind, new InetSocketAddress(found.group(1), Integer.parseInt(found.group(2))))));
            }
        }
        return ports;
    }

    static String clusterId(CatchmentCluster cluster) {
        int node = cluster.nodes().get(0);
        return find(
                        read(cluster.directory().resolve("node-" + node + "/node.properties")),
                        "(?m)^catchment\\.cluster\\.id=(.+)$")
                .map(found -> found.group(1))
                .orElseThrow(() -> new IllegalStateException("node " + node + " has no cluster id"));
    }

    static String storeId(CatchmentCluster cluster, int node) {
        return read(cluster.walDirectory(node).resolve("store.id"))
                .lines()
                .skip(1)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("node " + node + " has no store id"))
                .strip();
    }

    private static Optional<Matcher> find(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        return matcher.find() ? Optional.of(matcher) : Optional.empty();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
