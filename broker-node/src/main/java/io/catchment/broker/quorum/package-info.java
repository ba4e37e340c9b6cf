/** The cluster's nodes as an administrator deals with them: the controllers' quorum, and brokers that are gone for good. */
@NullMarked
package io.catchment.broker.quorum;

import org.jspecify.annotations.NullMarked;
