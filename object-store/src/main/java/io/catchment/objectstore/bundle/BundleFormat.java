package io.catchment.objectstore.bundle;

/** The numbers of the bundle format, version 1. All integers are big-endian. The README of this module draws it. */
public final class BundleFormat {
    /** CRC32C and caching unit: the body is checked in pieces of this size, counted from the object's first byte. */
    public static final int BLOCK_BYTES = 1 << 20;

    /** A range gets an index entry at its first payload and then at the first payload at least this far behind the last entry. */
    static final int INDEX_STEP_BYTES = 64 << 10;

    static final long HEADER_MAGIC = 0x434154434842444cL; // CATCHBDL
    static final long TRAILER_MAGIC = 0x4341544348454e44L; // CATCHEND
    static final int FOOTER_MAGIC = 0x43465452; // CFTR
    static final short VERSION = 1;

    static final int HEADER_BYTES = 16;
    static final int FOOTER_HEAD_BYTES = 36;
    static final int CRC_BYTES = 4;
    static final int RANGE_BYTES = 56;
    static final int INDEX_ENTRY_BYTES = 24;
    static final int CHECKPOINT_BYTES = 28;
    static final int TRAILER_BYTES = 20;

    private BundleFormat() {}

    /** Blocks of a body of this length; the last may be short. */
    static int blocks(long bodyBytes) {
        return Math.toIntExact((bodyBytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
    }
}
