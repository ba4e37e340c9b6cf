/** Objects in a bucket or a directory: one interface, two implementations. */
@NullMarked
package io.catchment.objectstore;

import org.jspecify.annotations.NullMarked;
