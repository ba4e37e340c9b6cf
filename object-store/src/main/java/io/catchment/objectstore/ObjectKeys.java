package io.catchment.objectstore;

import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/** Names of objects, and which names a store accepts. */
public final class ObjectKeys {
    /** Every object with an id lies below this prefix. */
    public static final String PREFIX = "objects/";

    private static final int KEY_BYTES_MAX = 512;

    private ObjectKeys() {}

    /** {@code objects/HH/IIIIIIIIIIIIIIII}: the id in hex behind a hash byte, which spreads ids that follow each other over prefixes. */
    public static String key(long objectId) {
        if (objectId < 0) {
            throw new IllegalArgumentException("object id " + objectId + " must not be negative");
        }
        return String.format("%s%02x/%016x", PREFIX, hash(objectId), objectId);
    }

    /** The id in a key that {@link #key} made; empty for any other name. */
    public static OptionalLong objectId(String key) {
        int digits = PREFIX.length() + 3;
        if (!key.startsWith(PREFIX) || key.length() != digits + 16) {
            return OptionalLong.empty();
        }
        try {
            long id = Long.parseLong(key.substring(digits), 16);
            return id >= 0 && key(id).equals(key) ? OptionalLong.of(id) : OptionalLong.empty();
        } catch (NumberFormatException notOurs) {
            return OptionalLong.empty();
        }
    }

    /**
     * Answers the key if every store can hold it: 1 to 512 bytes of UTF-8 without control characters, segments between slashes neither
     * empty nor {@code .} nor {@code ..}. Besides, no key may be what another key has before one of its slashes (not checked here).
     *
     * @throws IllegalArgumentException otherwise: a programming error
     */
    public static String check(String key) {
        int bytes = key.getBytes(StandardCharsets.UTF_8).length;
        if (bytes == 0 || bytes > KEY_BYTES_MAX) {
            throw new IllegalArgumentException("an object key has 1 to " + KEY_BYTES_MAX + " bytes, not " + bytes);
        }
        if (key.chars().anyMatch(c -> c < 0x20 || c == 0x7f)) {
            throw new IllegalArgumentException("object key with a control character");
        }
        for (String segment : key.split("/", -1)) {
            if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
                throw new IllegalArgumentException("object key '" + key + "' has the segment '" + segment + "'");
            }
        }
        return key;
    }

    private static int hash(long id) {
        long mixed = (id ^ (id >>> 33)) * 0xff51afd7ed558ccdL;
        mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return (int) ((mixed ^ (mixed >>> 33)) & 0xff);
    }
}
