package io.catchment.chaos.cluster;

/** An object store beside the node that can be taken away and given back. Owned by the thread that runs the test. */
public interface ObjectStoreServer extends AutoCloseable {

    /** For the launcher's --object-store. */
    String uri();

    /** From now on every request to it fails. */
    void takeAway();

    /** With all that was in it. */
    void giveBack();

    @Override
    void close();
}
