package io.catchment.wal.simulation;

/** The machine stops here, in the middle of a disk operation. */
final class SimCrash extends Error {
    private static final long serialVersionUID = 1L;

    /** Whose machine. */
    private final transient SimDisk disk;

    SimCrash(SimDisk disk) {
        super("simulated crash", null, false, false);
        this.disk = disk;
    }

    SimDisk disk() {
        return disk;
    }
}
