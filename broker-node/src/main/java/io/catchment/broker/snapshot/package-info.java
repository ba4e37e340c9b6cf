/** The control plane's state in the bucket: written now and then, and what that means for deleting objects. */
@NullMarked
package io.catchment.broker.snapshot;

import org.jspecify.annotations.NullMarked;
