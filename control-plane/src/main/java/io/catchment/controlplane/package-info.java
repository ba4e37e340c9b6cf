/** The replicated state of the cluster: commands in, records through Raft, an immutable image out. */
@NullMarked
package io.catchment.controlplane;

import org.jspecify.annotations.NullMarked;
