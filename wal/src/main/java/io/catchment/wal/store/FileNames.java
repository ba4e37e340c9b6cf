package io.catchment.wal.store;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of files in a WAL directory. A sealed extent's name carries its final length: that is what makes it sealed here. */
final class FileNames {
    static final String STORE_ID = "store.id";
    static final String TEMPORARY = ".tmp";
    static final String FREE_PREFIX = "free-";
    static final String FILLING_PREFIX = "filling-";
    static final String REPAIR_PREFIX = "repair-";
    static final String DEAD_WRITERS = "dead-writers";

    private static final Pattern OPEN = Pattern.compile("extent-([0-9a-f]{16})\\.open");
    private static final Pattern SEALED = Pattern.compile("extent-([0-9a-f]{16})-([0-9a-f]{8})\\.sealed");
    private static final Pattern FENCE = Pattern.compile("extent-([0-9a-f]{16})\\.fence");

    private FileNames() {}

    static String open(long extentId) {
        return String.format(Locale.ROOT, "extent-%016x.open", extentId);
    }

    static String sealed(long extentId, long length) {
        return String.format(Locale.ROOT, "extent-%016x-%08x.sealed", extentId, length);
    }

    static String fence(long extentId) {
        return String.format(Locale.ROOT, "extent-%016x.fence", extentId);
    }

    static String repair(long extentId) {
        return String.format(Locale.ROOT, REPAIR_PREFIX + "%016x", extentId);
    }

    static OptionalLong openExtent(String name) {
        return id(OPEN.matcher(name));
    }

    static OptionalLong sealedExtent(String name) {
        return id(SEALED.matcher(name));
    }

    static OptionalLong fencedExtent(String name) {
        return id(FENCE.matcher(name));
    }

    /** The length in a sealed extent's name. */
    static long sealedLength(String name) {
        Matcher matcher = SEALED.matcher(name);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(name + " is not the name of a sealed extent");
        }
        return Long.parseLong(matcher.group(2), 16);
    }

    private static OptionalLong id(Matcher matcher) {
        return matcher.matches() ? OptionalLong.of(Long.parseUnsignedLong(matcher.group(1), 16)) : OptionalLong.empty();
    }
}
