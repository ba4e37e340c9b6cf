package io.catchment.chaos.station;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Consumer;

/**
 * All sites over some hours: the whole input of a run. Immutable.
 *
 * @param startMs event time at which the hours begin
 */
record Fleet(List<Site> sites, int hours, long startMs) {
    /** A fixed moment, so that play and check agree without being told. */
    static final Instant DEFAULT_START = Instant.parse("2026-06-01T00:00:00Z");

    static Fleet of(int sites, int hours, Instant start) {
        if (sites < 1 || hours < 1) {
            throw new IllegalArgumentException("sites and hours: from 1 on");
        }
        Readings readings = Readings.load();
        List<Site> all = new ArrayList<>();
        for (int number = 0; number < sites; number++) {
            all.add(new Site(number, readings));
        }
        return new Fleet(List.copyOf(all), hours, start.toEpochMilli());
    }

    long count() {
        return sites.stream().mapToLong(site -> site.countIn(hours)).sum();
    }

    /** The n-th reading of a site, at its event time. */
    record Event(Site site, long n, long timeMs) {}

    /** All readings in the order of event time, as a gateway that every site reports to at once would see them. */
    void play(Consumer<Event> listener) {
        var next = new PriorityQueue<Event>(Comparator.comparingLong(Event::timeMs)
                .thenComparing(event -> event.site().number()));
        for (Site site : sites) {
            if (site.countIn(hours) > 0) {
                next.add(new Event(site, 0, site.eventTimeMs(startMs, 0)));
            }
        }
        for (Event event = next.poll(); event != null; event = next.poll()) {
            listener.accept(event);
            long n = event.n() + 1;
            if (n < event.site().countIn(hours)) {
                next.add(new Event(event.site(), n, event.site().eventTimeMs(startMs, n)));
            }
        }
    }
}
