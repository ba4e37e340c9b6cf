package io.catchment.objectstore.file;

import io.catchment.objectstore.ObjectKeys;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Keys to paths and back. A segment's bytes outside a safe set are percent-encoded, a leading dot too: names with one are the store's own. */
final class KeyPaths {
    private KeyPaths() {}

    static Path path(Path root, String key) {
        Path path = root;
        for (String segment : ObjectKeys.check(key).split("/", -1)) {
            path = path.resolve(encode(segment));
        }
        return path;
    }

    /** The deepest directory that holds everything with the prefix. */
    static Path directory(Path root, String prefix) {
        int slash = prefix.lastIndexOf('/');
        return slash <= 0 ? root : path(root, prefix.substring(0, slash));
    }

    static String key(Path root, Path file) {
        StringBuilder key = new StringBuilder();
        for (Path segment : root.relativize(file)) {
            key.append(key.isEmpty() ? "" : "/").append(decode(segment.toString()));
        }
        return key.toString();
    }

    private static String encode(String segment) {
        StringBuilder out = new StringBuilder(segment.length());
        for (byte b : segment.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (safe(c) && !(c == '.' && out.isEmpty())) {
                out.append(c);
            } else {
                out.append(String.format("%%%02X", (int) c));
            }
        }
        return out.toString();
    }

    private static String decode(String name) {
        byte[] out = new byte[name.length()];
        int length = 0;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '%' && i + 2 < name.length()) {
                out[length++] = (byte) Integer.parseInt(name.substring(i + 1, i + 3), 16);
                i += 2;
            } else {
                out[length++] = (byte) c;
            }
        }
        return new String(out, 0, length, StandardCharsets.UTF_8);
    }

    private static boolean safe(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || "._-=+@,".indexOf(c) >= 0;
    }
}
