package io.catchment.wal.simulation;

/** The machine stops here, in the middle of a disk operation. */
final class SimCrash extends Error {
    private static final long serialVersionUID = 1L;

    SimCrash() {
        super("simulated crash", null, false, false);
    }
}
