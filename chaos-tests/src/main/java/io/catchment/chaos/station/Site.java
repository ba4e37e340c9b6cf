package io.catchment.chaos.station;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * One site: starts somewhere in the year's readings (phase) and sends one each few minutes (pace). All that it sends follows from its
 * number, so the audience knows every byte without having seen the sender. Immutable.
 */
final class Site {
    private static final List<Integer> PACES_MINUTES = List.of(1, 2, 5, 10, 15, 30, 60);
    private final int number;
    private final Readings readings;

    Site(int number, Readings readings) {
        this.number = number;
        this.readings = readings;
    }

    int number() {
        return number;
    }

    String key() {
        return String.format(Locale.ROOT, "site-%04d", number);
    }

    /** The number of the site with this key; -1 if it is no key of ours. */
    static int numberOf(String key) {
        return key.matches("site-\\d{4,9}") ? Integer.parseInt(key.substring("site-".length())) : -1;
    }

    private long phase() {
        return Math.floorMod(number * 7919L, readings.size());
    }

    long paceMs() {
        return PACES_MINUTES.get(Math.floorMod(number * 31, PACES_MINUTES.size())) * 60_000L;
    }

    /** How many readings it sends in that time: one at the beginning, then one each pace. */
    long countIn(int hours) {
        return hours * 3_600_000L / paceMs();
    }

    /** Event time of its n-th reading, milliseconds; sites do not tick at the same moment. */
    long eventTimeMs(long startMs, long n) {
        return startMs + Math.floorMod(number * 1009L, paceMs()) + n * paceMs();
    }

    byte[] value(long startMs, long n) {
        Readings.Reading reading = readings.at(phase() + n);
        String json = "{\"site\":\"" + key() + "\",\"n\":" + n + ",\"at\":" + eventTimeMs(startMs, n) + ",\"normal\":\""
                + reading.date()
                + "\",\"pressure_hpa\":" + reading.pressureHpa() + ",\"temperature_c\":" + reading.temperatureC()
                + ",\"wind_m_s\":" + reading.windMs() + "}";
        return json.getBytes(StandardCharsets.UTF_8);
    }
}
