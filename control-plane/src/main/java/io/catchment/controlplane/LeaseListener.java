package io.catchment.controlplane;

/** Hears how this node stands with the active controller. Called on the control plane's thread: it must not block. */
@FunctionalInterface
public interface LeaseListener {
    /**
     * The node epoch is over: the controller fenced it, or a later process of this node registered. Called once per
     * {@link ControlPlane#keepAlive}; the node serves nothing in that epoch any more (its commands are refused with FENCED)
     * and registers anew, or ends.
     */
    void epochOver(long nodeEpoch);
}
