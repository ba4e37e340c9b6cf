/** Connections between nodes that carry whole messages in order: real sockets, and room for simulated ones. */
@NullMarked
package io.catchment.wal.link;

import org.jspecify.annotations.NullMarked;
