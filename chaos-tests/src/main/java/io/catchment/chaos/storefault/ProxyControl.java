package io.catchment.chaos.storefault;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Switches a proxy by HTTP, for scripts. One thread answers. */
final class ProxyControl implements AutoCloseable {
    private final StoreProxy proxy;
    private final HttpServer server;

    ProxyControl(StoreProxy proxy, int port) throws IOException {
        this.proxy = proxy;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 16);
        server.createContext("/", this::answer);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private void answer(HttpExchange call) throws IOException {
        int status = 200;
        String text;
        try {
            text = done(
                    call.getRequestURI().getPath(),
                    parameters(call.getRequestURI().getRawQuery()));
        } catch (IllegalArgumentException wrong) {
            status = 400;
            text = wrong.getMessage() + "\n";
        }
        byte[] body = String.valueOf(text).getBytes(StandardCharsets.UTF_8);
        call.sendResponseHeaders(status, body.length);
        try (var out = call.getResponseBody()) {
            out.write(body);
        }
    }

    private String done(String path, Map<String, String> parameters) throws IOException {
        switch (path) {
            case "/traffic" -> {
                return json(proxy.traffic().figures());
            }
            case "/fault" -> proxy.faults().add(rule(parameters));
            case "/clear" -> {
                proxy.faults().clear();
                proxy.limitBandwidth(0);
                proxy.comeBack();
            }
            case "/bandwidth" -> proxy.limitBandwidth(Long.parseLong(parameters.getOrDefault("bytes", "0")));
            case "/away" -> proxy.goAway();
            case "/back" -> proxy.comeBack();
            default ->
                throw new IllegalArgumentException("paths: /fault?name=NAME&kinds=PUT,GET&probability=P, /clear,"
                        + " /bandwidth?bytes=N, /away, /back, /traffic");
        }
        return "ok\n";
    }

    static FaultRule rule(Map<String, String> parameters) {
        Set<RequestKind> kinds = parameters.containsKey("kinds")
                ? Arrays.stream(parameters.getOrDefault("kinds", "").split(",", -1))
                        .map(kind -> RequestKind.valueOf(kind.toUpperCase(Locale.ROOT)))
                        .collect(Collectors.toSet())
                : Set.of(RequestKind.values());
        return new FaultRule(
                kinds,
                Fault.named(parameters.getOrDefault("name", "")),
                Double.parseDouble(parameters.getOrDefault("probability", "1")));
    }

    private static String json(Traffic.Figures figures) {
        return "{\"requests\":" + json(figures.requests()) + ",\"failed\":" + json(figures.failed()) + ",\"bytesUp\":"
                + figures.bytesUp() + ",\"bytesDown\":" + figures.bytesDown() + "}\n";
    }

    private static String json(Map<RequestKind, Long> counts) {
        return counts.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(count -> "\"" + count.getKey() + "\":" + count.getValue())
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static Map<String, String> parameters(@Nullable String query) {
        Map<String, String> parameters = new HashMap<>();
        for (String pair : String.valueOf(query).split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                parameters.put(
                        pair.substring(0, equals),
                        URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return parameters;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
