/** Stock MirrorMaker 2 between two clusters, both ways: it is killed, and so are the nodes of one cluster. */
@NullMarked
package io.catchment.chaos.mirror;

import org.jspecify.annotations.NullMarked;
