package io.catchment.chaos.storefault;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/** What has come by. Guarded by its own lock; remembers when each of the last {@value #REMEMBERED} requests arrived. */
public final class Traffic {
    private static final int REMEMBERED = 1 << 17;
    private final Map<RequestKind, Long> requests = new EnumMap<>(RequestKind.class);
    private final Map<RequestKind, Long> failed = new EnumMap<>(RequestKind.class);
    private final long[] arrivals = new long[REMEMBERED];
    private long arrived;
    private long bytesUp;
    private long bytesDown;

    /**
     * @param failed of the requests, those that a fault befell
     * @param bytesUp of bodies towards the store, bytesDown from it
     */
    public record Figures(
            Map<RequestKind, Long> requests, Map<RequestKind, Long> failed, long bytesUp, long bytesDown) {
        public Figures {
            requests = Map.copyOf(requests);
            failed = Map.copyOf(failed);
        }

        public long requests(RequestKind kind) {
            return Objects.requireNonNullElse(requests.get(kind), 0L);
        }

        public long allRequests() {
            return requests.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    synchronized void arrived(RequestKind kind) {
        requests.merge(kind, 1L, Long::sum);
        arrivals[(int) (arrived % REMEMBERED)] = System.nanoTime();
        arrived++;
    }

    synchronized void befallen(RequestKind kind) {
        failed.merge(kind, 1L, Long::sum);
    }

    synchronized void up(long bytes) {
        bytesUp += bytes;
    }

    synchronized void down(long bytes) {
        bytesDown += bytes;
    }

    public synchronized Figures figures() {
        return new Figures(requests, failed, bytesUp, bytesDown);
    }

    /** The most requests that arrived within one second of that span of {@link System#nanoTime}. */
    public synchronized int requestsInWorstSecond(long fromNanos, long toNanos) {
        long[] times = Arrays.copyOf(arrivals, (int) Math.min(arrived, REMEMBERED));
        Arrays.sort(times);
        int worst = 0;
        int begin = 0;
        for (int end = 0; end < times.length; end++) {
            if (times[end] - fromNanos < 0 || times[end] - toNanos >= 0) {
                begin = end + 1;
                continue;
            }
            while (times[end] - times[begin] >= TimeUnit.SECONDS.toNanos(1)) {
                begin++;
            }
            worst = Math.max(worst, end - begin + 1);
        }
        return worst;
    }

    /** Requests that arrived in that span. */
    public synchronized int requestsBetween(long fromNanos, long toNanos) {
        return (int) Arrays.stream(arrivals, 0, (int) Math.min(arrived, REMEMBERED))
                .filter(time -> time - fromNanos >= 0 && time - toNanos < 0)
                .count();
    }
}
