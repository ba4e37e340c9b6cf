/** The node's configuration: keys, their documentation, parsing and checks. */
@NullMarked
package io.catchment.broker.config;

import org.jspecify.annotations.NullMarked;
