package io.catchment.broker.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a node listens and what it tells others to connect to.
 *
 * @param clients for clients, at least one on a node with the broker role
 * @param advertised for each of {@code clients} what clients are told, by the same names; a port of 0 stands for the bound one
 * @param controller for the control plane's traffic, if this node listens for it
 * @param controllerName the name of that listener on all nodes
 * @param controllerTold where other nodes reach it
 * @param wal for replication between nodes; empty: this node is alone
 * @param walTold where other nodes reach it; a port of 0 stands for the bound one
 */
public record Listeners(
        List<Listener> clients,
        List<Listener> advertised,
        Optional<Listener> controller,
        String controllerName,
        Optional<Listener> controllerTold,
        Optional<Listener> wal,
        Optional<Listener> walTold) {
    private static final Pattern FORM =
            Pattern.compile("([A-Za-z0-9_.-]+)://(?:\\[([^]]*)]|([^\\[\\]:/]*)):(-?[0-9]+)");

    public Listeners {
        clients = List.copyOf(clients);
        advertised = List.copyOf(advertised);
    }

    /** What a client that came by this listener is told to connect to. */
    public Listener advertisedFor(String name) {
        return advertised.stream()
                .filter(listener -> listener.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no listener " + name));
    }

    /** Name of the one by which nodes reach each other as clients. */
    public String peers() {
        return clients.get(0).name();
    }

    static Listeners parse(
            List<String> listeners,
            List<String> advertised,
            List<String> controllerNames,
            String walNameAsWritten,
            String protocols,
            List<String> problems) {
        String walName = walNameAsWritten.toUpperCase(Locale.ROOT);
        String controllerName = controllerNames.isEmpty()
                ? "CONTROLLER"
                : controllerNames.get(0).toUpperCase(Locale.ROOT);
        checkProtocols(protocols, problems);
        List<Listener> clients = new ArrayList<>();
        Optional<Listener> controller = Optional.empty();
        Optional<Listener> wal = Optional.empty();
        for (Listener listener : distinct(NodeKeys.LISTENERS, listeners, problems)) {
            if (listener.name().equals(controllerName)) {
                controller = Optional.of(listener);
            } else if (listener.name().equals(walName)) {
                wal = Optional.of(listener);
            } else {
                clients.add(listener);
            }
        }
        Map<String, Listener> told = new LinkedHashMap<>();
        List<Listener> all = new ArrayList<>(clients);
        controller.ifPresent(all::add);
        wal.ifPresent(all::add);
        for (Listener listener : all) {
            told.put(listener.name(), new Listener(listener.name(), hostOr(listener.host()), listener.port()));
        }
        for (Listener listener : distinct(NodeKeys.ADVERTISED_LISTENERS, advertised, problems)) {
            advertise(listener, told, controllerName, problems);
        }
        Optional<Listener> controllerTold = Optional.ofNullable(told.remove(controllerName));
        Optional<Listener> walTold = Optional.ofNullable(told.remove(walName));
        return new Listeners(
                clients, List.copyOf(told.values()), controller, controllerName, controllerTold, wal, walTold);
    }

    private static void advertise(
            Listener listener, Map<String, Listener> told, String controllerName, List<String> problems) {
        if (isAnyAddress(listener.host())) {
            problems.add(NodeKeys.ADVERTISED_LISTENERS + " = " + listener
                    + ": clients cannot connect to this address. Name the host they should use");
        } else if (told.containsKey(listener.name())) {
            told.put(listener.name(), listener);
        } else if (!listener.name().equals(controllerName)) {
            problems.add(NodeKeys.ADVERTISED_LISTENERS + " = " + listener + ": " + NodeKeys.LISTENERS
                    + " has no listener of this name");
        }
    }

    private static List<Listener> distinct(String key, List<String> texts, List<String> problems) {
        List<Listener> result = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Set<Integer> ports = new HashSet<>();
        for (String text : texts) {
            Optional<Listener> parsed = parse(key, text.trim(), problems);
            if (parsed.isEmpty()) {
                continue;
            }
            Listener listener = parsed.get();
            if (!names.add(listener.name())) {
                problems.add(key + " = " + text + ": there are two listeners named " + listener.name());
            } else if (key.equals(NodeKeys.LISTENERS) && listener.port() != 0 && !ports.add(listener.port())) {
                problems.add(key + " = " + text + ": there are two listeners on port " + listener.port());
            } else {
                result.add(listener);
            }
        }
        return result;
    }

    private static Optional<Listener> parse(String key, String text, List<String> problems) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            problems.add(key + " = " + text
                    + ": a listener is written NAME://HOST:PORT, for example PLAINTEXT://0.0.0.0:9092");
            return Optional.empty();
        }
        String host = matcher.group(2) != null ? matcher.group(2) : matcher.group(3);
        long port;
        try {
            port = Long.parseLong(matcher.group(4));
        } catch (NumberFormatException tooLarge) {
            port = -1;
        }
        if (port < 0 || port > 65_535) {
            problems.add(key + " = " + text + ": a port is between 0 and 65535");
            return Optional.empty();
        }
        return Optional.of(new Listener(matcher.group(1).toUpperCase(Locale.ROOT), host, (int) port));
    }

    private static void checkProtocols(String protocols, List<String> problems) {
        for (String pair : protocols.split(",", -1)) {
            if (pair.isBlank()) {
                continue;
            }
            String[] parts = pair.trim().split(":", -1);
            if (parts.length != 2) {
                problems.add(NodeKeys.SECURITY_PROTOCOL_MAP + " = " + pair + ": write NAME:PROTOCOL");
            } else if (!parts[1].equalsIgnoreCase("PLAINTEXT")) {
                problems.add(NodeKeys.SECURITY_PROTOCOL_MAP + " = " + pair + ": " + parts[1]
                        + " is not there yet, only PLAINTEXT is");
            }
        }
    }

    private static boolean isAnyAddress(String host) {
        return host.isEmpty() || host.equals("0.0.0.0") || host.equals("::");
    }

    private static String hostOr(String host) {
        if (!isAnyAddress(host)) {
            return host;
        }
        try {
            return InetAddress.getLocalHost().getCanonicalHostName();
        } catch (UnknownHostException noName) {
            return "localhost";
        }
    }
}
