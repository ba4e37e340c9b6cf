/** What a share group is about to do, does, and has done with the records of one partition (KIP-932). */
@NullMarked
package io.catchment.broker.share.partition;

import org.jspecify.annotations.NullMarked;
