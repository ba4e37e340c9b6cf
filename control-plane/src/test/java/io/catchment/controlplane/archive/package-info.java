@org.jspecify.annotations.NullMarked
package io.catchment.controlplane.archive;
