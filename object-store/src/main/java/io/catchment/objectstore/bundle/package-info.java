/** The bundle format: written by one class, read by another, specified byte by byte in the module's README. */
@NullMarked
package io.catchment.objectstore.bundle;

import org.jspecify.annotations.NullMarked;
