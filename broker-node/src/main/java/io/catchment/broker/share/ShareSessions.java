package io.catchment.broker.share;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ShareRequestMetadata;
import org.jspecify.annotations.Nullable;

/** The share sessions of this node. Owned by the share loop. Requests out of order are refused with Kafka's ApiException. */
final class ShareSessions {
    private final int sessionsMax;
    private final Consumer<ShareSession> ended;
    private final Map<Key, ShareSession> sessions = new HashMap<>();
    private final Map<String, Integer> byGroup = new HashMap<>();

    private record Key(String group, String member) {}

    /** @param ended hears of each session that is over, once */
    ShareSessions(int sessionsMax, Consumer<ShareSession> ended) {
        this.sessionsMax = sessionsMax;
        this.ended = ended;
    }

    int size() {
        return sessions.size();
    }

    boolean isEmpty(String group) {
        return !byGroup.containsKey(group);
    }

    /** In place of an older one of the same member. */
    ShareSession open(String group, String member, String connectionId, Collection<TopicIdPartition> partitions) {
        ShareSession before = sessions.get(new Key(group, member));
        if (before != null) {
            close(before);
        } else if (sessions.size() >= sessionsMax) {
            throw Errors.SHARE_SESSION_LIMIT_REACHED.exception(
                    "This node has its " + sessionsMax + " share sessions (group.share.max.share.sessions)");
        }
        ShareSession session = new ShareSession(group, member, connectionId, partitions);
        sessions.put(new Key(group, member), session);
        byGroup.merge(group, 1, Integer::sum);
        return session;
    }

    /** Its next request, whose epoch is used up by this. */
    ShareSession next(String group, String member, int epoch) {
        ShareSession session = any(group, member);
        if (session.epoch() != epoch) {
            throw Errors.INVALID_SHARE_SESSION_EPOCH.exception("Epoch " + epoch + " of the share session of member "
                    + member + " is out of turn: " + session.epoch() + " is next");
        }
        session.advance();
        return session;
    }

    /** The session of a fetch, which may change what it fetches. */
    ShareSession next(
            String group,
            String member,
            int epoch,
            List<TopicIdPartition> added,
            Collection<TopicIdPartition> forgotten) {
        ShareSession session = next(group, member, epoch);
        session.change(added, forgotten);
        return session;
    }

    /** Whatever its epoch: it is about to be closed. */
    ShareSession any(String group, String member) {
        ShareSession session = sessions.get(new Key(group, member));
        if (session == null) {
            throw Errors.SHARE_SESSION_NOT_FOUND.exception(
                    "No share session of member " + member + " in group " + group);
        }
        return session;
    }

    static boolean isFinal(int epoch) {
        return epoch == ShareRequestMetadata.FINAL_EPOCH;
    }

    static boolean isInitial(int epoch) {
        return epoch == ShareRequestMetadata.INITIAL_EPOCH;
    }

    /** Without effect when another one has taken its place. */
    void close(ShareSession session) {
        Key key = new Key(session.group(), session.member());
        @Nullable ShareSession present = sessions.get(key);
        if (present == session) {
            sessions.remove(key);
            session.end();
            byGroup.computeIfPresent(session.group(), (group, count) -> count == 1 ? null : count - 1);
            ended.accept(session);
        }
    }
}
