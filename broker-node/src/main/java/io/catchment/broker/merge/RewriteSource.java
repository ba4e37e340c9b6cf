package io.catchment.broker.merge;

import io.catchment.controlplane.ClusterImage;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A reason to write published ranges anew: merging small ones, or key compaction. Called on the loop of its {@link Rewrites}. */
public interface RewriteSource {

    /**
     * The next step; null when nothing is due. The step before has ended, or none was begun.
     *
     * @param without streams that are not to be touched now
     */
    @Nullable
    RewriteStep next(ClusterImage image, Set<Long> without);

    /** Streams that are between two steps: others must leave their ranges as they are. */
    Set<Long> busy();
}
