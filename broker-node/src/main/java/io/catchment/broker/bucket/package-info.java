/** Which cluster may write to a bucket: markers, and the right that follows from them. */
@NullMarked
package io.catchment.broker.bucket;

import org.jspecify.annotations.NullMarked;
