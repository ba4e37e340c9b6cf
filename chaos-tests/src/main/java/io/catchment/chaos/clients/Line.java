package io.catchment.chaos.clients;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A record as the client programs write and read it (clients/README.md). Key, value and header values are hex behind a dot, or "-" for
 * null.
 *
 * @param headers in their order
 */
record Line(int partition, long timestamp, String key, String value, List<Header> headers) {
    record Header(String name, String value) {}

    Line {
        headers = List.copyOf(headers);
    }

    static String hex(byte @Nullable [] bytes) {
        return bytes == null ? "-" : "." + HexFormat.of().formatHex(bytes);
    }

    static String hex(String text) {
        return hex(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The text in a field that is not null. */
    static String text(String hex) {
        return new String(HexFormat.of().parseHex(hex.substring(1)), StandardCharsets.UTF_8);
    }

    String toProduce(String topic) {
        return String.join(
                " ", topic, String.valueOf(partition), String.valueOf(timestamp), key, value, headerText(headers));
    }

    private static String headerText(List<Header> headers) {
        return headers.isEmpty()
                ? "-"
                : String.join(
                        ",",
                        headers.stream()
                                .map(header -> header.name + "=" + header.value)
                                .toList());
    }

    static List<Header> headersOf(String text) {
        List<Header> headers = new ArrayList<>();
        if (!text.equals("-")) {
            for (String one : text.split(",", -1)) {
                int equals = one.indexOf('=');
                headers.add(new Header(one.substring(0, equals), one.substring(equals + 1)));
            }
        }
        return headers;
    }

    /**
     * What two readers must agree on. Headers by name, since kafkajs gives them as a map; those of one name keep their order.
     *
     * @param times whether the writer gave the time
     */
    String content(boolean times) {
        List<Header> sorted = new ArrayList<>(headers);
        sorted.sort(Comparator.comparing(Header::name));
        return (times ? timestamp + " " : "") + key + " " + value + " " + headerText(sorted);
    }

    /** For reports: without the middle of what is long. */
    static String brief(String content) {
        return content.length() < 200
                ? content
                : content.substring(0, 120) + "…(" + content.length() + ")…" + content.substring(content.length() - 40);
    }
}
