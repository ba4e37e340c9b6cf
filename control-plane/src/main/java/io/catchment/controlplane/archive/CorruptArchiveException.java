package io.catchment.controlplane.archive;

/** The bytes are no whole archive of the state. */
public final class CorruptArchiveException extends Exception {
    private static final long serialVersionUID = 1;

    CorruptArchiveException(String message) {
        super(message);
    }
}
