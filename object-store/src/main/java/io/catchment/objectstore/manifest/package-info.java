/** The manifest format: one class writes and reads it, one loads it verified. The README of this module draws it. */
@NullMarked
package io.catchment.objectstore.manifest;

import org.jspecify.annotations.NullMarked;
