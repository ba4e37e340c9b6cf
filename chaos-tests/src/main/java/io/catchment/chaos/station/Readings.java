package io.catchment.chaos.station;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The hourly readings of one weather station over a year, shipped with the program. Immutable. */
final class Readings {
    private static final String FILE = "seattle-weather-hourly-normals.csv";
    private final List<Reading> readings;

    private Readings(List<Reading> readings) {
        this.readings = List.copyOf(readings);
    }

    /** Numbers as they are written in the source, so that they reach the audience unchanged. */
    record Reading(String date, String pressureHpa, String temperatureC, String windMs) {}

    static Readings load() {
        List<Reading> readings = new ArrayList<>();
        try (var lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(Readings.class.getResourceAsStream(FILE), FILE), StandardCharsets.UTF_8))) {
            lines.readLine();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] columns = line.split(",", -1);
                readings.add(new Reading(columns[0], columns[1], columns[2], columns[3]));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Readings(readings);
    }

    int size() {
        return readings.size();
    }

    /** Wraps around: after the year's end comes its beginning. */
    Reading at(long index) {
        return readings.get((int) (index % readings.size()));
    }
}
