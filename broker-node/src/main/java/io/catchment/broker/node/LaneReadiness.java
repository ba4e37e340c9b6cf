package io.catchment.broker.node;

import io.catchment.broker.observe.Readiness;
import io.catchment.wal.Acknowledged;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says in the log and in the readiness when a lane cannot write, and when it can again. Thread-safe. */
final class LaneReadiness implements WalListener {
    private static final Logger log = LoggerFactory.getLogger(LaneReadiness.class);

    private final Map<Lane, Readiness.Condition> conditions = new EnumMap<>(Lane.class);

    LaneReadiness(Readiness readiness) {
        for (Lane lane : Lane.values()) {
            Readiness.Condition condition =
                    readiness.condition("wal-lane-" + lane.name().toLowerCase(java.util.Locale.ROOT), "starting");
            condition.met();
            conditions.put(lane, condition);
        }
    }

    /** New lanes: what ailed those of the last epoch is over. */
    void epochBegins() {
        conditions.values().forEach(Readiness.Condition::met);
    }

    @Override
    public void laneState(Lane lane, boolean accepting, String reason) {
        Readiness.Condition condition = conditions.get(lane);
        if (condition == null) {
            throw new IllegalStateException("no condition for lane " + lane);
        }
        if (accepting) {
            condition.met();
            log.info("Lane {} accepts records again", lane);
        } else {
            condition.unmet(reason);
            log.error(
                    "Lane {} accepts no records: {}. Nothing that was acknowledged is lost; it resumes by itself",
                    lane,
                    reason);
        }
    }

    @Override
    public void acknowledged(Lane lane, List<Acknowledged> group) {}

    @Override
    public void rollDue(Lane lane, long extentId) {}

    @Override
    public void sealed(Lane lane, long extentId, long length) {}
}
