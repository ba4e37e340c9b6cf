package io.catchment.controlplane.state;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.command.CommandRules;
import io.catchment.controlplane.command.Conditions;
import io.catchment.controlplane.command.Decision;
import io.catchment.controlplane.command.Upkeep;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.proto.FlushPublished;
import io.catchment.controlplane.proto.ObjectsPrepared;
import io.catchment.controlplane.proto.Range;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StoredObject;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * How much memory a catalog takes, how large a snapshot of it is, and how long writing and reading one takes: prints the figures of this module's README.
 * {@code java -cp … io.catchment.controlplane.state.CatalogFigures} with at least 4 GB of heap; arguments: streams, ranges of each in its catalog, ranges
 * of each in a manifest.
 */
public final class CatalogFigures {
    private static final int STREAMS_PER_TOPIC = 1_000;

    private StateImage image = StateImage.empty("figures");
    private long nowMs = 1_000_000;
    private int topicIds;

    private CatalogFigures() {}

    public static void main(String[] args) throws IOException {
        int streams = Integer.parseInt(args[0]);
        int ranges = Integer.parseInt(args[1]);
        int listed = Integer.parseInt(args[2]);
        long empty = usedBytes();
        CatalogFigures figures = new CatalogFigures();
        figures.build(streams, ranges, listed);
        long used = usedBytes() - empty;
        Path file = Files.createTempFile("snapshot", ".bin");
        try {
            figures.write(file);
            long writtenMs = figures.write(file);
            long bytes = Files.size(file);
            figures.image = StateImage.empty("figures");
            StateImage loaded = read(file);
            long nanos = System.nanoTime();
            loaded = read(file);
            long readMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
            System.out.printf(
                    Locale.ROOT,
                    "%d streams with %d ranges each in the catalog and %d in manifests, %d objects in the state: %.0f MB of heap,"
                            + " snapshot %.1f MB, written in %d ms, read in %d ms%n",
                    loaded.state().streams().size(),
                    ranges,
                    listed,
                    loaded.state().objects().size(),
                    used / 1e6,
                    bytes / 1e6,
                    writtenMs,
                    readMs);
        } finally {
            Files.delete(file);
        }
    }

    private static long usedBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /** Each range is alone in its object, as after merges; with manifests the first ones move there at once. */
    private void build(int streams, int ranges, int listed) {
        ImageStep step = ImageStep.after(image);
        List<LogRecord> features = Upkeep.missingFeatures(image.state());
        step.replay(new LogBatch(features.size(), 1, nowMs, 0, features));
        image = step.finish().image();
        long epoch = submit(new Command.RegisterNode(
                        1,
                        "store",
                        List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                        "zone",
                        List.of("broker", "wal"),
                        new Uuid(1, 2)))
                .epoch();
        for (int from = 0; from < streams; from += STREAMS_PER_TOPIC) {
            String topic = "topic-" + from;
            int count = Math.min(STREAMS_PER_TOPIC, streams - from);
            submit(new Command.CreateTopics(
                    List.of(new Command.CreateTopic(topic, count, (short) 1, Map.of())), false));
            List<Long> ids = image.topic(topic).orElseThrow().streams();
            submit(new Command.OpenStreams(
                    1, epoch, ids.stream().map(id -> new Command.Claim(id, 0)).toList()));
            for (long id : ids) {
                fill(epoch, id, ranges, listed);
            }
        }
    }

    /** Straight to the records: a flush and a merge for each range would take hours. */
    private void fill(long epoch, long stream, int ranges, int listed) {
        if (ranges + listed == 0) {
            return;
        }
        StateBuilder builder = new StateBuilder(image.state(), ChangeListener.NONE);
        ClusterState state = image.state();
        long firstId = state.nextObjectId();
        List<LogRecord> records = new ArrayList<>();
        int all = ranges + listed;
        records.add(LogRecord.own(Record.newBuilder()
                .setObjectsPrepared(ObjectsPrepared.newBuilder()
                        .setFirstObjectId(firstId)
                        .setCount(listed > 0 ? all + 1 : all)
                        .setAtMs(nowMs)
                        .setDeadlineMs(nowMs + 1_000_000))));
        for (int i = 0; i < all; i++) {
            records.add(LogRecord.own(Record.newBuilder()
                    .setFlushPublished(FlushPublished.newBuilder()
                            .setExtentId(1)
                            .setPartial(true)
                            .setObjectId(firstId + i)
                            .setObjectBytes(64 << 20)
                            .setAtMs(nowMs)
                            .addRanges(Range.newBuilder()
                                    .setStreamId(stream)
                                    .setBaseOffset(i * 1_000_000L)
                                    .setEndOffset((i + 1) * 1_000_000L)
                                    .setPosition(16)
                                    .setLength(60 << 20)
                                    .setMaxEventTimeMs(1_700_000_000_000L + i)
                                    .setMaxAppendTimeMs(1_700_000_000_000L + i)))));
            // The second time, for good: whole, so that a manifest may own it
            records.add(LogRecord.own(Record.newBuilder()
                    .setObject(StoredObject.newBuilder()
                            .setObjectId(firstId + i)
                            .setBytes(64 << 20)
                            .setReferences(1)
                            .setPhase(StoredObject.Phase.PUBLISHED)
                            .setSinceMs(nowMs))));
        }
        records.forEach(builder::replay);
        state = builder.build();
        image = new StateImage("figures", image.offset() + records.size(), 1, nowMs, 1, state, image.metadata());
        if (listed > 0) {
            StreamState filled = image.stream(stream).orElseThrow();
            List<OwnedRange> owned = new ArrayList<>();
            for (StreamRange range : filled.catalog().subList(0, listed)) {
                owned.add(new OwnedRange(range, 64 << 20));
            }
            submit(new Command.PublishManifest(
                    1, epoch, stream, firstId + all, 60L * listed, Command.PublishManifest.NO_OBJECT, owned));
            ManifestRef ref = image.stream(stream).orElseThrow().manifests().get(0);
            if (ref.ranges() != listed) {
                throw new IllegalStateException("no manifest of " + listed + " ranges: " + ref);
            }
        }
    }

    private <R> R submit(Command<R> command) {
        Conditions conditions = new Conditions(nowMs, () -> new Uuid(7, ++topicIds), 1, 1);
        Decision<R> decision = CommandRules.decide(command, image.state(), conditions);
        Decision.Accepted<R> accepted = (Decision.Accepted<R>) decision;
        ImageStep step = ImageStep.after(image);
        step.replay(new LogBatch(image.offset() + accepted.records().size(), 1, nowMs, 0, accepted.records()));
        image = step.finish().image();
        return accepted.answer();
    }

    /** Ms. */
    private long write(Path file) throws IOException {
        long nanos = System.nanoTime();
        try (DataOutputStream out =
                new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 20))) {
            StateSnapshot.write(image.state(), image.metadata(), record -> {
                try {
                    ObjectSerializationCache cache = new ObjectSerializationCache();
                    ByteBuffer bytes = ByteBuffer.allocate(LogRecordSerde.INSTANCE.recordSize(record, cache));
                    LogRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(bytes));
                    out.writeInt(bytes.capacity());
                    out.write(bytes.array());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    private static StateImage read(Path file) throws IOException {
        ImageStep step = ImageStep.instead(StateImage.empty("figures"));
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 20))) {
            long left = Files.size(file);
            while (left > 0) {
                byte[] record = in.readNBytes(in.readInt());
                left -= record.length + Integer.BYTES;
                step.replay(
                        LogRecordSerde.INSTANCE.read(new ByteBufferAccessor(ByteBuffer.wrap(record)), record.length));
            }
        }
        return step.finish().image();
    }
}
