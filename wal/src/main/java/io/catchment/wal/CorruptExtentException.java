package io.catchment.wal;

import java.io.IOException;

/** Bytes before an extent's durable length are not what was written (W6). The replica must not be served any more. */
public final class CorruptExtentException extends IOException {
    private static final long serialVersionUID = 1L;

    private final long validLength;

    public CorruptExtentException(String message, long validLength) {
        super(message);
        this.validLength = validLength;
    }

    /** How many bytes from the extent's start are still what was written; 0 if none or not known. */
    public long validLength() {
        return validLength;
    }
}
