package io.catchment.objectstore.open;

import io.catchment.objectstore.s3.S3Settings;
import io.catchment.objectstore.s3.S3Settings.Checksums;
import io.catchment.objectstore.s3.S3Settings.Sse;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads an object store's URI with its settings. Every mistake is an IllegalArgumentException that names the key and what would be right. */
sealed interface StoreUri {

    record Directory(Path path) implements StoreUri {}

    record Bucket(S3Settings settings) implements StoreUri {}

    /** Keys of an s3 URI's query, or of the settings beside it, which win. */
    Set<String> S3_KEYS = Set.of(
            "endpoint",
            "region",
            "path-style",
            "access-key-id",
            "secret-access-key",
            "session-token",
            "sse",
            "sse-kms-key-id",
            "checksums",
            "multipart-bytes",
            "part-bytes",
            "connections",
            "gbps",
            "connect-timeout-ms");

    static StoreUri parse(String uri, Map<String, String> settings) {
        URI parsed;
        try {
            parsed = new URI(uri);
        } catch (URISyntaxException malformed) {
            throw new IllegalArgumentException(
                    "object store '" + uri + "' is not a URI: " + malformed.getReason(), malformed);
        }
        String scheme = parsed.getScheme() == null ? "" : parsed.getScheme();
        return switch (scheme) {
            case "file" -> directory(parsed, settings);
            case "s3" -> new Bucket(bucket(parsed, settings));
            default ->
                throw new IllegalArgumentException(
                        "object store '" + uri + "' must begin with file:///DIR or s3://BUCKET/PREFIX");
        };
    }

    private static Directory directory(URI uri, Map<String, String> settings) {
        String path = uri.getPath();
        if (path == null
                || !path.startsWith("/")
                || path.equals("/")
                || (uri.getAuthority() != null && !uri.getAuthority().isEmpty())) {
            throw new IllegalArgumentException(
                    "object store '" + uri + "' must name an absolute directory: file:///DIR");
        }
        if (uri.getQuery() != null || !settings.isEmpty()) {
            throw new IllegalArgumentException("object store '" + uri + "': a directory has no settings");
        }
        return new Directory(Path.of(path));
    }

    private static S3Settings bucket(URI uri, Map<String, String> settings) {
        String bucket = uri.getAuthority();
        if (bucket == null || bucket.isEmpty()) {
            throw new IllegalArgumentException(
                    "object store '" + withoutQuery(uri) + "' must name a bucket: s3://BUCKET/PREFIX");
        }
        Map<String, String> values = query(uri);
        values.putAll(settings);
        for (String key : values.keySet()) {
            if (!S3_KEYS.contains(key)) {
                throw new IllegalArgumentException(
                        "object store '" + withoutQuery(uri) + "': unknown setting '" + key + "', known are "
                                + String.join(", ", S3_KEYS.stream().sorted().toList()));
            }
        }
        boolean ownEndpoint = values.containsKey("endpoint");
        String region = values.get("region");
        long part = number(values, "part-bytes", 16L << 20);
        return new S3Settings(
                bucket,
                prefix(uri),
                ownEndpoint ? endpoint(values.get("endpoint")) : null,
                region == null && ownEndpoint ? "us-east-1" : region,
                flag(values, "path-style", ownEndpoint),
                values.get("access-key-id"),
                values.get("secret-access-key"),
                values.get("session-token"),
                choice(values, "sse", Sse.class, Sse.NONE),
                values.get("sse-kms-key-id"),
                choice(
                        values,
                        "checksums",
                        Checksums.class,
                        ownEndpoint ? Checksums.WHEN_REQUIRED : Checksums.WHEN_SUPPORTED),
                number(values, "multipart-bytes", Math.max(part, 128L << 20)),
                part,
                Math.toIntExact(number(values, "connections", 16)),
                decimal(values, "gbps", 2.0),
                Math.toIntExact(number(values, "connect-timeout-ms", 3000)));
    }

    private static String prefix(URI uri) {
        String path = uri.getPath() == null ? "" : uri.getPath().replaceAll("^/+|/+$", "");
        return path.isEmpty() ? "" : path + "/";
    }

    private static Map<String, String> query(URI uri) {
        Map<String, String> values = new TreeMap<>();
        String query = uri.getRawQuery();
        if (query == null || query.isEmpty()) {
            return values;
        }
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals <= 0) {
                throw new IllegalArgumentException("object store '" + withoutQuery(uri) + "': '"
                        + (equals < 0 ? pair : "=…") + "' in its query is not key=value");
            }
            // A plus stays a plus: secrets have them.
            String value = pair.substring(equals + 1).replace("+", "%2B");
            values.put(pair.substring(0, equals), URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        return values;
    }

    private static URI endpoint(@Nullable String value) {
        String text = value == null ? "" : value;
        String url = text.contains("://") ? text : "https://" + text;
        try {
            URI endpoint = new URI(url);
            if (endpoint.getHost() != null) {
                return endpoint;
            }
        } catch (URISyntaxException malformed) {
            // Told below.
        }
        throw new IllegalArgumentException("setting endpoint: '" + text + "' is not http(s)://HOST:PORT");
    }

    private static boolean flag(Map<String, String> values, String key, boolean fallback) {
        String value = values.get(key);
        if (value == null) {
            return fallback;
        }
        if (!value.equals("true") && !value.equals("false")) {
            throw new IllegalArgumentException("setting " + key + ": '" + value + "' is neither true nor false");
        }
        return value.equals("true");
    }

    private static long number(Map<String, String> values, String key, long fallback) {
        String value = values.get(key);
        try {
            return value == null ? fallback : Long.parseLong(value);
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException("setting " + key + ": '" + value + "' is not a number", notANumber);
        }
    }

    private static double decimal(Map<String, String> values, String key, double fallback) {
        String value = values.get(key);
        try {
            return value == null ? fallback : Double.parseDouble(value);
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException("setting " + key + ": '" + value + "' is not a number", notANumber);
        }
    }

    private static <E extends Enum<E>> E choice(Map<String, String> values, String key, Class<E> type, E fallback) {
        String value = values.get(key);
        if (value == null) {
            return fallback;
        }
        for (E constant : type.getEnumConstants()) {
            if (constant.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(value)) {
                return constant;
            }
        }
        StringBuilder known = new StringBuilder();
        for (E constant : type.getEnumConstants()) {
            known.append(known.isEmpty() ? "" : ", ")
                    .append(constant.name().toLowerCase(Locale.ROOT).replace('_', '-'));
        }
        throw new IllegalArgumentException("setting " + key + ": '" + value + "' is none of " + known);
    }

    private static String withoutQuery(URI uri) {
        return uri.getScheme() + "://" + (uri.getAuthority() == null ? "" : uri.getAuthority()) + uri.getPath();
    }
}
