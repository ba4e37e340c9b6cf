package io.catchment.controlplane.log;

import java.util.List;

/**
 * Records that were proposed together and take effect together. Empty for the log's own control records.
 *
 * @param lastOffset of the batch's last record
 * @param timestampMs the wall clock of the controller that appended it
 */
public record LogBatch(long lastOffset, int epoch, long timestampMs, int sizeBytes, List<LogRecord> records) {}
