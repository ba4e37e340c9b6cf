/** The beginning of streams: what retention and DeleteRecords let go (DESIGN §7). */
@NullMarked
package io.catchment.broker.retention;

import org.jspecify.annotations.NullMarked;
