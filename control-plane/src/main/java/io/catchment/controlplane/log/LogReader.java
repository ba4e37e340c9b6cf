package io.catchment.controlplane.log;

import java.util.Iterator;

/** Committed batches in order. Who gets one closes it, on any thread; nothing further is delivered before. */
public interface LogReader extends Iterator<LogBatch>, AutoCloseable {
    @Override
    void close();
}
