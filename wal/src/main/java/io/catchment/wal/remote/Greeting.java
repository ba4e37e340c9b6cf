package io.catchment.wal.remote;

/** What the first message of a connection begins with. */
final class Greeting {
    static final long MAGIC = 0x4341_5443_4857_414CL; // CATCHWAL
    static final int VERSION = 1;

    private Greeting() {}
}
