package io.catchment.chaos.storefault;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** What has come by. Guarded by its own lock; remembers when each of the last {@value #REMEMBERED} requests arrived. */
public final class Traffic {
    private static final int REMEMBERED = 1 << 17;
    private final Map<RequestKind, Long> requests = new EnumMap<>(RequestKind.class);
    private final Map<RequestKind, Long> failed = new EnumMap<>(RequestKind.class);
    private final long[] arrivals = new long[REMEMBERED];
    private final RequestKind[] kinds = new RequestKind[REMEMBERED];
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
    }

    synchronized void arrived(RequestKind kind) {
        requests.merge(kind, 1L, Long::sum);
        int at = (int) (arrived % REMEMBERED);
        arrivals[at] = System.nanoTime();
        kinds[at] = kind;
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

    /** The most requests of these kinds that arrived within one second of that span of {@link System#nanoTime}. */
    public int requestsInWorstSecond(Set<RequestKind> of, long fromNanos, long toNanos) {
        long[] times = arrivals(of, fromNanos, toNanos);
        int worst = 0;
        int begin = 0;
        for (int end = 0; end < times.length; end++) {
            while (times[end] - times[begin] >= TimeUnit.SECONDS.toNanos(1)) {
                begin++;
            }
            worst = Math.max(worst, end - begin + 1);
        }
        return worst;
    }

    /** Requests of these kinds that arrived in that span. */
    public int requests(Set<RequestKind> of, long fromNanos, long toNanos) {
        return arrivals(of, fromNanos, toNanos).length;
    }

    /** Ascending. */
    private synchronized long[] arrivals(Set<RequestKind> of, long fromNanos, long toNanos) {
        return IntStream.range(0, (int) Math.min(arrived, REMEMBERED))
                .filter(i -> of.contains(kinds[i]) && arrivals[i] - fromNanos >= 0 && arrivals[i] - toNanos < 0)
                .mapToLong(i -> arrivals[i])
                .sorted()
                .toArray();
    }
}
