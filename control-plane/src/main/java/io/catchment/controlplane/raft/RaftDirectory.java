package io.catchment.controlplane.raft;

import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.SnapshotSink;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.feature.SupportedVersionRange;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.raft.Endpoints;
import org.apache.kafka.raft.FileQuorumStateStore;
import org.apache.kafka.raft.KafkaRaftClient;
import org.apache.kafka.raft.ReplicaKey;
import org.apache.kafka.raft.VoterSet;
import org.apache.kafka.server.common.KRaftVersion;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.snapshot.FileRawSnapshotWriter;
import org.apache.kafka.snapshot.RecordsSnapshotWriter;
import org.apache.kafka.snapshot.Snapshots;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of one node's log, locked while it is open.
 *
 * <p>Formatting writes {@code control-plane.properties} last, so a directory with it is complete. Without it, files of a format that
 * was cut short are cleared away, but a directory in which the log was ever used is refused: its properties were lost, and a new
 * directory id would make this disk a stranger to its own voter set. The id is drawn here, once, and lives nowhere else, so that
 * a wiped disk can never vote in place of the one before (KIP-853).
 */
final class RaftDirectory implements AutoCloseable {
    static final SupportedVersionRange KRAFT_VERSIONS = new SupportedVersionRange(
            KRaftVersion.KRAFT_VERSION_0.featureLevel(), KRaftVersion.KRAFT_VERSION_1.featureLevel());

    private static final Logger LOG = LoggerFactory.getLogger(RaftDirectory.class);
    private static final String PROPERTIES = "control-plane.properties";
    private static final String LOCK = ".lock";
    /** There while a directory is being restored: what is in it then is not whole. */
    private static final String RESTORING = "restoring";

    private static final String VERSION = "1";

    private final RaftConfig config;
    private final FileChannel lockChannel;
    private final Uuid directoryId;

    private RaftDirectory(RaftConfig config, FileChannel lockChannel, Uuid directoryId) {
        this.config = config;
        this.lockChannel = lockChannel;
        this.directoryId = directoryId;
    }

    /** @param formAlone an unused directory becomes that of the only voter of a new cluster, instead of joining one */
    static RaftDirectory open(RaftConfig config, boolean formAlone) throws IOException {
        Files.createDirectories(config.directory());
        FileChannel lock = lock(config.directory());
        try {
            @Nullable Uuid known = readId(config);
            return new RaftDirectory(config, lock, known != null ? known : format(config, formAlone));
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /**
     * Formats an unused directory as that of the only voter of a new cluster whose log begins with a snapshot. Complete, or as if it had
     * not been begun: it may be repeated until it succeeds, and no node starts from what a crash left.
     *
     * @param snapshotId the log goes on at its offset
     * @throws IOException also when the directory is in use or was formatted before
     */
    static void restore(RaftConfig config, OffsetAndEpoch snapshotId, long timestampMs, Consumer<SnapshotSink> content)
            throws IOException {
        Files.createDirectories(config.directory());
        try (RaftDirectory made = new RaftDirectory(config, lock(config.directory()), Uuid.randomUuid())) {
            made.restore(snapshotId, timestampMs, content);
        }
    }

    private void restore(OffsetAndEpoch snapshotId, long timestampMs, Consumer<SnapshotSink> content)
            throws IOException {
        if (!isUnused(config)) {
            throw new IOException("control-plane directory " + config.directory()
                    + " holds a cluster's state already: only an empty one can be restored");
        }
        Path restoring = config.directory().resolve(RESTORING);
        if (Files.exists(restoring)) {
            clear(logDirectory());
        } else if (Files.exists(logDirectory())) {
            clearUnused(config, logDirectory());
        }
        Files.writeString(restoring, "");
        sync(config.directory());
        Files.createDirectories(logDirectory());
        try (RecordsSnapshotWriter<LogRecord> writer = writer(config, logDirectory(), snapshotId, directoryId)
                .setLastContainedLogTimestamp(timestampMs)
                .build(LogRecordSerde.INSTANCE)) {
            content.accept(new Sink(writer));
            writer.freeze();
        }
        writeProperties(config, directoryId);
        Files.delete(restoring);
        LOG.info(
                "restored control-plane directory {} of node {} with directory id {} as the only voter of cluster {}",
                config.directory(),
                config.nodeId(),
                directoryId,
                config.clusterId());
    }

    private record Sink(RecordsSnapshotWriter<LogRecord> writer) implements SnapshotSink {
        @Override
        public void append(List<LogRecord> records) {
            writer.append(records);
        }

        @Override
        public long freeze() {
            throw new UnsupportedOperationException("the directory is frozen as a whole");
        }

        @Override
        public void close() {
            // The directory's
        }
    }

    /** Whether it would be formatted. */
    static boolean isUnused(RaftConfig config) {
        return !Files.exists(config.directory().resolve(PROPERTIES));
    }

    Uuid directoryId() {
        return directoryId;
    }

    Path logDirectory() {
        return logDirectory(config);
    }

    Path quorumState() {
        return logDirectory().resolve(FileQuorumStateStore.DEFAULT_FILE_NAME);
    }

    @Override
    public void close() {
        try {
            lockChannel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Endpoints endpoints(RaftConfig config) {
        return Endpoints.fromInetSocketAddresses(Map.of(
                KafkaReplicatedLog.listenerName(config),
                java.net.InetSocketAddress.createUnresolved(config.host(), config.port())));
    }

    private static Path logDirectory(RaftConfig config) {
        return config.directory().resolve(Topic.CLUSTER_METADATA_TOPIC_NAME + "-0");
    }

    private static FileChannel lock(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            @Nullable FileLock lock = channel.tryLock();
            if (lock != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // Held in this very process: the same answer
            LOG.debug("control-plane directory {} is locked by this process", directory);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        channel.close();
        throw new IOException("control-plane directory " + directory
                + " is in use by another process; stop it or give this node another directory");
    }

    private static @Nullable Uuid readId(RaftConfig config) throws IOException {
        Path file = config.directory().resolve(PROPERTIES);
        if (!Files.exists(file)) {
            return null;
        }
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(reader);
        }
        expect(file, properties, "version", VERSION);
        expect(file, properties, "cluster.id", config.clusterId());
        expect(file, properties, "node.id", String.valueOf(config.nodeId()));
        @Nullable String id = properties.getProperty("directory.id");
        if (id == null || !Files.isDirectory(logDirectory(config))) {
            throw new IOException("control-plane directory " + config.directory() + " is damaged: "
                    + (id == null ? file + " has no directory.id" : logDirectory(config) + " is missing")
                    + "; restore it, or empty the directory to join as a new voter");
        }
        return Uuid.fromString(id);
    }

    private static void expect(Path file, Properties properties, String key, String expected) throws IOException {
        @Nullable String found = properties.getProperty(key);
        if (!expected.equals(found)) {
            throw new IOException(file + " has " + key + "=" + found + " but this node is configured with " + expected
                    + "; it is the directory of another node or cluster");
        }
    }

    private static Uuid format(RaftConfig config, boolean formAlone) throws IOException {
        Path log = logDirectory(config);
        if (Files.exists(config.directory().resolve(RESTORING))) {
            throw new IOException("control-plane directory " + config.directory()
                    + " was being restored from the object store when that was cut short; run the recovery again");
        }
        if (Files.exists(log)) {
            clearUnused(config, log);
        }
        Files.createDirectories(log);
        Uuid id = Uuid.randomUuid();
        if (formAlone) {
            writer(config, log, Snapshots.BOOTSTRAP_SNAPSHOT_ID, id)
                    .build(LogRecordSerde.INSTANCE)
                    .freeze();
        }
        writeProperties(config, id);
        LOG.info(
                "formatted control-plane directory {} of node {} with directory id {}, {}",
                config.directory(),
                config.nodeId(),
                id,
                formAlone ? "as the only voter of a new cluster " + config.clusterId() : "to join a cluster");
        return id;
    }

    /** What a format that did not finish left behind: voters at most, since the log starts after the format. */
    private static void clearUnused(RaftConfig config, Path log) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(log)) {
            for (Path file : files) {
                Optional<org.apache.kafka.snapshot.SnapshotPath> snapshot = Snapshots.parse(file);
                boolean bootstrap =
                        snapshot.isPresent() && snapshot.get().snapshotId().equals(Snapshots.BOOTSTRAP_SNAPSHOT_ID);
                if (!bootstrap) {
                    throw new IOException("control-plane directory " + config.directory() + " holds "
                            + file.getFileName()
                            + " but no " + PROPERTIES + ": the file was lost after the directory was used; restore it,"
                            + " or empty the directory to join as a new voter");
                }
            }
        }
        clear(log);
        LOG.warn(
                "clearing control-plane directory {}: formatting it was cut short before its first use",
                config.directory());
    }

    private static void clear(Path log) throws IOException {
        if (!Files.exists(log)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(log)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
    }

    /** Of a snapshot that names this node as the only voter. */
    private static RecordsSnapshotWriter.Builder writer(
            RaftConfig config, Path log, OffsetAndEpoch snapshotId, Uuid id) {
        VoterSet voters = VoterSet.fromMap(Map.of(
                config.nodeId(),
                VoterSet.VoterNode.of(ReplicaKey.of(config.nodeId(), id), endpoints(config), KRAFT_VERSIONS)));
        return new RecordsSnapshotWriter.Builder()
                .setRawSnapshotWriter(FileRawSnapshotWriter.create(log, snapshotId))
                .setMaxBatchSizeBytes(KafkaRaftClient.MAX_BATCH_SIZE_BYTES)
                .setKraftVersion(KRaftVersion.KRAFT_VERSION_1)
                .setVoterSet(Optional.of(voters));
    }

    private static void writeProperties(RaftConfig config, Uuid id) throws IOException {
        String text = "version=" + VERSION + "\ncluster.id=" + config.clusterId() + "\nnode.id=" + config.nodeId()
                + "\ndirectory.id=" + id + "\n";
        Path file = config.directory().resolve(PROPERTIES);
        Path partial = config.directory().resolve(PROPERTIES + ".partial");
        try (FileChannel channel = FileChannel.open(
                partial, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            channel.write(StandardCharsets.UTF_8.encode(text));
            channel.force(true);
        }
        sync(logDirectory(config));
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        sync(config.directory());
    }

    private static void sync(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
