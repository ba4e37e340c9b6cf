package io.catchment.wal.remote;

import java.io.IOException;

/** The peer sent what no honest peer sends: its connection ends. */
final class ProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message);
    }
}
