package io.catchment.wal.recovery;

import io.catchment.wal.RecoveryReport;

/** How a recovery run ended. */
sealed interface RecoveryOutcome {
    record Decided(RecoveryReport.Sealed sealed) implements RecoveryOutcome {}

    record Undecided(RecoveryReport.Waiting waiting) implements RecoveryOutcome {}
}
