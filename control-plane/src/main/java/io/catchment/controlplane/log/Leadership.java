package io.catchment.controlplane.log;

/** @param leaderId the active controller as far as this node knows, -1 when nobody is */
public record Leadership(int leaderId, int epoch) {
    public static final int NOBODY = -1;
    public static final Leadership UNKNOWN = new Leadership(NOBODY, 0);

    public boolean is(int nodeId) {
        return leaderId == nodeId && leaderId != NOBODY;
    }
}
