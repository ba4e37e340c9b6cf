/** The replicated log as the state machine sees it: batches of records proposed, replayed and snapshotted; and how a record is written. */
@NullMarked
package io.catchment.controlplane.log;

import org.jspecify.annotations.NullMarked;
