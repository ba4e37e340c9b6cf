package io.catchment.broker.node;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node has opened, to be closed in the opposite order, each whatever became of the others. An {@link Error} of one is thrown once all
 * are. Guarded by its lock.
 */
final class Closers implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Closers.class);

    private record Named(String name, AutoCloseable part) {}

    private final Deque<Named> parts = new ArrayDeque<>();
    private boolean closed;

    /** Closes it at once if the node is closed already. */
    synchronized <T extends AutoCloseable> T add(String name, T part) {
        parts.push(new Named(name, part));
        if (closed) {
            closeAll();
        }
        return part;
    }

    @Override
    public synchronized void close() {
        closed = true;
        closeAll();
    }

    private void closeAll() {
        Error first = null;
        while (!parts.isEmpty()) {
            Named named = parts.pop();
            try {
                named.part().close();
            } catch (Exception e) {
                log.warn("Closing {} failed: {}", named.name(), e.getMessage(), e);
            } catch (Error e) {
                log.error("Closing {} failed: {}", named.name(), e.getMessage(), e);
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
