/** The whole state as bytes that outlive the cluster, and the state of a new cluster made from them. */
@NullMarked
package io.catchment.controlplane.archive;

import org.jspecify.annotations.NullMarked;
