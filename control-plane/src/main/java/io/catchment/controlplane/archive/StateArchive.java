package io.catchment.controlplane.archive;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.state.StateSnapshot;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * An image as a sequence of bytes of its own, which needs no log to be understood: a header, the records of {@link StateSnapshot} in the
 * log's envelope, their number and a checksum of everything. The README has it byte by byte. Immutable images, so it may be written on any
 * thread while the cluster goes on.
 */
public final class StateArchive {
    static final long MAGIC = 0x4341544348535441L; // "CATCHSTA"
    static final short VERSION = 1;

    private static final int TRAILER_BYTES = 4 + 8 + 4;

    private StateArchive() {}

    /**
     * Which state it is.
     *
     * @param generation of the bucket's owner
     * @param offset of the last record in it, in the log of that cluster
     * @param timestampMs the controller's wall clock at that record
     */
    public record Header(long generation, String clusterId, long offset, int logEpoch, long timestampMs) {}

    public record Contents(Header header, List<LogRecord> records) {
        public Contents {
            records = List.copyOf(records);
        }
    }

    /** Whether there is something to write: before a cluster's first batch there is not. */
    public static boolean isWritable(ClusterImage image) {
        return !of(image).state().features().isEmpty();
    }

    /** Answers how many bytes were written. */
    public static long write(ClusterImage image, long generation, OutputStream out) throws IOException {
        StateImage state = of(image);
        CheckedOutputStream checked = new CheckedOutputStream(out, new CRC32C());
        DataOutputStream data = new DataOutputStream(checked);
        data.writeLong(MAGIC);
        data.writeShort(VERSION);
        data.writeShort(0);
        data.writeLong(generation);
        data.writeLong(state.offset());
        data.writeInt(state.logEpoch());
        data.writeLong(state.logTimestampMs());
        byte[] clusterId = state.clusterId().getBytes(StandardCharsets.UTF_8);
        data.writeShort(clusterId.length);
        data.write(clusterId);
        long[] records = {0};
        try {
            StateSnapshot.write(state.state(), state.metadata(), record -> {
                append(record, data);
                records[0]++;
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        data.writeInt(0);
        data.writeLong(records[0]);
        data.writeInt((int) checked.getChecksum().getValue());
        data.flush();
        return Integer.toUnsignedLong(data.size());
    }

    private static void append(LogRecord record, DataOutputStream out) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer bytes = ByteBuffer.allocate(LogRecordSerde.INSTANCE.recordSize(record, cache));
        LogRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(bytes));
        try {
            out.writeInt(bytes.position());
            out.write(bytes.array(), 0, bytes.position());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing of it is believed before all of it was verified. */
    public static Contents read(ByteBuffer archive) throws CorruptArchiveException {
        ByteBuffer in = archive.duplicate();
        int crcAt = in.limit() - 4;
        check(in.remaining() > TRAILER_BYTES, "it has " + in.remaining() + " bytes");
        check(in.getLong(in.position()) == MAGIC, "it is no archive of a control plane's state");
        check(
                in.getShort(in.position() + 8) == VERSION,
                "it has version " + in.getShort(in.position() + 8) + ", this program reads version " + VERSION);
        CRC32C crc = new CRC32C();
        crc.update(in.duplicate().limit(crcAt));
        check((int) crc.getValue() == in.getInt(crcAt), "its checksum does not match");
        try {
            in.position(in.position() + 12);
            return contents(in);
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new CorruptArchiveException("an archive of the state ends too early: " + e);
        }
    }

    private static Contents contents(ByteBuffer in) throws CorruptArchiveException {
        long generation = in.getLong();
        long offset = in.getLong();
        int logEpoch = in.getInt();
        long timestampMs = in.getLong();
        byte[] clusterId = new byte[Short.toUnsignedInt(in.getShort())];
        in.get(clusterId);
        List<LogRecord> records = new ArrayList<>();
        for (int length = in.getInt(); length != 0; length = in.getInt()) {
            int end = in.position() + length;
            records.add(LogRecordSerde.INSTANCE.read(
                    new ByteBufferAccessor(in.duplicate().limit(end)), length));
            in.position(end);
        }
        check(in.getLong() == records.size(), "it has another number of records than it says");
        return new Contents(
                new Header(generation, new String(clusterId, StandardCharsets.UTF_8), offset, logEpoch, timestampMs),
                records);
    }

    private static void check(boolean condition, String otherwise) throws CorruptArchiveException {
        if (!condition) {
            throw new CorruptArchiveException("an archive of the state cannot be used: " + otherwise);
        }
    }

    private static StateImage of(ClusterImage image) {
        if (image instanceof StateImage state) {
            return state;
        }
        throw new IllegalArgumentException("not an image of this module: " + image.getClass());
    }
}
