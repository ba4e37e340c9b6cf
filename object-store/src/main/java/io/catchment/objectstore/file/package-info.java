/** Objects as files below one directory. */
@NullMarked
package io.catchment.objectstore.file;

import org.jspecify.annotations.NullMarked;
