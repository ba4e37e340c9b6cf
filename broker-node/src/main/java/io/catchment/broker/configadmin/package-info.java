/** Describing and altering configurations of topics and groups, and describing this node's. */
@NullMarked
package io.catchment.broker.configadmin;

import org.jspecify.annotations.NullMarked;
