/** Answers what readers ask: Fetch with its sessions and long poll, ListOffsets, OffsetForLeaderEpoch. */
@NullMarked
package io.catchment.broker.fetch;

import org.jspecify.annotations.NullMarked;
