package io.catchment.chaos.cluster;

import java.time.Duration;
import java.util.List;

/** What a quorum's description says about its voters. */
final class Voters {

    /**
     * One line of the description. A controller that lost its disk is two: the one that it was and the one that it is.
     *
     * @param fetchedMs when it last asked the leader, milliseconds since 1970; 0 if it never did
     * @param caughtUpMs when it last had all that the leader had; 0 if it never did
     */
    record Replica(int id, long fetchedMs, long caughtUpMs) {}

    private Voters() {}

    /** Whether each voter had everything at most that long before the leader, and none of them is still the one that it was before it lost its disk. */
    static boolean allCaughtUp(int leaderId, List<Replica> voters, List<Replica> observers, Duration behindMax) {
        long leaderMs = voters.stream()
                .filter(voter -> voter.id() == leaderId)
                .mapToLong(Replica::caughtUpMs)
                .max()
                .orElse(0);
        return leaderMs > 0
                && voters.stream()
                        .allMatch(voter -> voter.caughtUpMs() > leaderMs - behindMax.toMillis()
                                && observers.stream().noneMatch(observer -> replaces(observer, voter)));
    }

    /** The one that a controller was stays an observer in the description for minutes after the change of the voters. */
    private static boolean replaces(Replica observer, Replica voter) {
        return observer.id() == voter.id() && observer.fetchedMs() > voter.fetchedMs();
    }
}
