package io.catchment.broker.verify;

import io.catchment.broker.observe.Json;
import io.catchment.broker.verify.StoreReport.Stored;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A report as JSON: one object, its numbers first; one line for each field and each finding, so that a shell can read it too. */
final class ReportJson {
    private ReportJson() {}

    static String of(StoreReport report) {
        return "{\n\"clean\":" + report.clean()
                + number("publishedObjects", report.published().objects())
                + number("publishedBytes", report.published().bytes())
                + number("listedObjects", report.listed().objects())
                + number("listedBytes", report.listed().bytes())
                + number("pendingObjects", report.pending())
                + number("doomedObjects", report.doomed())
                + number("missingTotal", report.missing().total())
                + number("wrongSizeTotal", report.wrongSize().total())
                + number("orphansTotal", report.orphans().total())
                + number("orphansUnissued", report.unissuedOrphans())
                + number("orphansDeleted", report.deletedOrphans())
                + number("danglingTotal", report.dangling().total())
                + number("foreignTotal", report.foreign().total())
                + list("missing", report.missing(), ReportJson::stored)
                + list("wrongSize", report.wrongSize(), ReportJson::wrongSize)
                + list("orphans", report.orphans(), ReportJson::stored)
                + list("dangling", report.dangling(), ReportJson::dangling)
                + list("foreign", report.foreign(), ReportJson::stored)
                + "\n}\n";
    }

    private static String number(String name, long value) {
        return ",\n\"" + name + "\":" + value;
    }

    private static <T> String list(String name, Findings<T> findings, Function<T, String> json) {
        return findings.first().stream()
                .map(finding -> "\n" + json.apply(finding))
                .collect(Collectors.joining(",", ",\n\"" + name + "\":[", "]"));
    }

    private static String stored(Stored object) {
        return "{\"key\":" + Json.quote(object.key()) + ",\"bytes\":" + object.bytes() + "}";
    }

    private static String wrongSize(StoreReport.WrongSize object) {
        return "{\"key\":" + Json.quote(object.key()) + ",\"catalogBytes\":" + object.catalogBytes()
                + ",\"storeBytes\":" + object.storeBytes() + "}";
    }

    private static String dangling(StoreReport.Dangling reference) {
        return "{\"topic\":" + Json.quote(reference.topic()) + ",\"partition\":" + reference.partition()
                + ",\"kind\":" + Json.quote(reference.kind().name().toLowerCase(Locale.ROOT))
                + ",\"offset\":" + reference.offset() + ",\"objectId\":" + reference.objectId() + "}";
    }
}
