/** Other nodes' stores as replicas, and this node's store as theirs: the messages byte by byte are in the module's README. */
@NullMarked
package io.catchment.wal.remote;

import org.jspecify.annotations.NullMarked;
