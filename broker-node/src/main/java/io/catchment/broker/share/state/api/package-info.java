/** The requests that owners of partitions send to the share coordinator. */
@NullMarked
package io.catchment.broker.share.state.api;

import org.jspecify.annotations.NullMarked;
