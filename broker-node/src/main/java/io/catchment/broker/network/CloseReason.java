package io.catchment.broker.network;

/** Why a connection ended, for metrics. */
public enum CloseReason {
    /** The other side closed or vanished. */
    PEER,
    /** What came was not a request this node understands: garbage, wrong version, too large, corrupt. */
    BAD_REQUEST,
    /** No traffic and no open request for too long. */
    IDLE,
    /** A request or an answer that stood still while others waited for its memory, or took far too long. */
    STALLED,
    /** Too many connections. */
    REFUSED,
    /** Its address made connections faster than its quota allows. */
    THROTTLED,
    /** An answer could not be given or written. */
    ERROR,
    /** This node is stopping. */
    SHUTDOWN
}
