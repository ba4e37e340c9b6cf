package io.catchment.chaos.station;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.history.Violation.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class AudienceTest {
    private final Fleet fleet = Fleet.of(7, 6, Fleet.DEFAULT_START);
    private final List<Fleet.Event> events = new ArrayList<>();
    private final Verdict verdict = new Verdict();

    AudienceTest() {
        fleet.play(events::add);
    }

    private Audience hearAll() {
        var audience = new Audience(fleet, verdict);
        long offset = 0;
        for (Fleet.Event event : events) {
            hear(
                    audience,
                    event,
                    event.site().number() % 3,
                    offset++,
                    event.site().value(fleet.startMs(), event.n()));
        }
        audience.finish();
        return audience;
    }

    private static void hear(Audience audience, Fleet.Event event, int partition, long offset, byte[] value) {
        audience.hear(partition, offset, event.timeMs(), event.site().key().getBytes(StandardCharsets.UTF_8), value);
    }

    private List<Kind> kinds() {
        return verdict.violations().stream().map(Violation::kind).distinct().toList();
    }

    @Test
    void everySiteHasItsOwnPhaseAndPaceAndEventsComeInOrderOfTime() {
        assertThat(events)
                .hasSize((int) fleet.count())
                .isSortedAccordingTo((a, b) -> Long.compare(a.timeMs(), b.timeMs()));
        assertThat(fleet.sites().stream().map(Site::paceMs).distinct().count()).isGreaterThan(3);
        assertThat(fleet.sites().stream()
                        .map(site ->
                                new String(site.value(0, 0), StandardCharsets.UTF_8).replaceAll(".*\"normal\"", ""))
                        .distinct()
                        .count())
                .isEqualTo(7);
    }

    @Test
    void valuesAreTheStationsReadings() {
        Site site = fleet.sites().get(0);
        assertThat(new String(site.value(fleet.startMs(), 1), StandardCharsets.UTF_8))
                .isEqualTo(
                        "{\"site\":\"site-0000\",\"n\":1,\"at\":" + (fleet.startMs() + site.paceMs())
                                + ",\"normal\":\"2010-01-01T02:00:00\",\"pressure_hpa\":1016.6,\"temperature_c\":3.9,\"wind_m_s\":3.8}");
    }

    @Test
    void completeFleetIsClean() {
        Audience audience = hearAll();
        assertThat(verdict.describe()).isEqualTo("clean");
        assertThat(audience.complete()).isTrue();
        assertThat(audience.heard()).isEqualTo(fleet.count());
    }

    @Test
    void missingReadingIsLost() {
        events.remove(100);
        hearAll();
        assertThat(kinds()).containsExactly(Kind.LOST);
    }

    @Test
    void missingLastReadingIsLost() {
        events.remove(events.size() - 1);
        Audience audience = hearAll();
        assertThat(audience.complete()).isFalse();
        assertThat(kinds()).containsExactly(Kind.LOST);
    }

    @Test
    void readingHeardTwiceIsADuplicate() {
        events.add(50, events.get(49));
        hearAll();
        assertThat(kinds()).containsExactly(Kind.DUPLICATED);
    }

    @Test
    void swappedReadingsOfOneSiteAreNoticed() {
        List<Integer> ofOneSite = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i).site().number() == 3) {
                ofOneSite.add(i);
            }
        }
        Collections.swap(events, ofOneSite.get(1), ofOneSite.get(2));
        hearAll();
        assertThat(kinds()).containsExactlyInAnyOrder(Kind.LOST, Kind.DUPLICATED);
    }

    @Test
    void changedByteIsCorruption() {
        var audience = new Audience(fleet, verdict);
        Fleet.Event event = events.get(0);
        byte[] value = event.site().value(fleet.startMs(), event.n());
        value[value.length / 2]++;
        hear(audience, event, 0, 0, value);
        assertThat(kinds()).containsExactly(Kind.CORRUPTED);
    }

    @Test
    void siteInTwoPartitionsAndStrangersAreNoticed() {
        var audience = new Audience(fleet, verdict);
        Fleet.Event event = events.get(0);
        byte[] value = event.site().value(fleet.startMs(), event.n());
        hear(audience, event, 0, 0, value);
        Fleet.Event next = events.stream()
                .filter(e -> e.site().equals(event.site()) && e.n() == 1)
                .findFirst()
                .orElseThrow();
        hear(audience, next, 1, 0, next.site().value(fleet.startMs(), 1));
        assertThat(kinds()).containsExactly(Kind.REORDERED);
        audience.hear(0, 9, event.timeMs(), "site-0007".getBytes(StandardCharsets.UTF_8), value);
        audience.hear(0, 10, event.timeMs(), null, null);
        assertThat(kinds()).containsExactly(Kind.REORDERED, Kind.INVENTED);
    }

    @Test
    void readingAtAWrongEventTimeIsNoticed() {
        var audience = new Audience(fleet, verdict);
        Fleet.Event event = events.get(0);
        var late = new Fleet.Event(event.site(), event.n(), event.timeMs() + 1);
        hear(audience, late, 0, 0, event.site().value(fleet.startMs(), event.n()));
        assertThat(kinds()).containsExactly(Kind.INVENTED);
    }
}
