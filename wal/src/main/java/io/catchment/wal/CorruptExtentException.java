package io.catchment.wal;

import java.io.IOException;

/** Bytes before an extent's durable length are not what was written (W6). The replica must not be served any more. */
public final class CorruptExtentException extends IOException {
    private static final long serialVersionUID = 1L;

    public CorruptExtentException(String message) {
        super(message);
    }
}
