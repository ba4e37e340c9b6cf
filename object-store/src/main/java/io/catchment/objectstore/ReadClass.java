package io.catchment.objectstore;

/** Who reads: what is far behind waits for what is at the end, and leaves it memory and transfers. */
public enum ReadClass {
    /** At the end of its stream, or somebody who takes a stream over: others wait for it. */
    TAIL,
    /** Far behind the end. */
    CATCH_UP
}
