package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.Lane;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica.Appended;
import io.catchment.wal.replica.WriteGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One WAL directory as a replica: thread-safe and blocking; each extent's writes are serialised by its own lock.
 *
 * <p>Rules kept here. A write is accepted only at the extent's end, and counts only once synced. After a failed write or
 * sync a file is never written or synced again: nobody knows what of it is on disk, and a later success would lie. What an
 * earlier run left open is scanned, cut and synced before anything is answered about it. A fence is on disk before it is
 * answered.
 */
public final class ExtentStore {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentStore.class);
    private static final int PAGE_BYTES = 4096;
    private static final ByteBuffer PAGE_OF_ZEROS = ByteBuffer.allocateDirect(PAGE_BYTES);

    private final Disk disk;
    private final Supplier<Checksum> checksums;
    private final LongSupplier nanoTime;
    private final String storeId;
    private final ExtentFiles files;
    private final ExpectedBytes expected;
    private final ExtentScanners scanners;
    private final ExtentIndexes indexes;
    private final ConcurrentSkipListMap<Long, StoredExtent> extents = new ConcurrentSkipListMap<>();
    private final Fences fences;
    private final UnsettledFiles unsettledFiles;

    private ExtentStore(
            Disk disk, StoreConfig config, Supplier<Checksum> checksums, LongSupplier nanoTime, Supplier<UUID> ids)
            throws IOException {
        this.disk = disk;
        this.checksums = checksums;
        this.nanoTime = nanoTime;
        this.storeId = StoreId.readOrWrite(disk, ids);
        this.files = new ExtentFiles(disk, config);
        this.expected = new ExpectedBytes(config.fileBytes());
        this.scanners = new ExtentScanners(checksums, config.fileBytes());
        this.indexes = new ExtentIndexes(
                files, scanners, config.indexBytesMax(), extent -> extents.get(extent.extentId) == extent);
        this.fences = new Fences(disk);
        this.unsettledFiles = new UnsettledFiles(disk, scanners);
    }

    /** Whether a file of this name in a WAL directory is an extent. */
    public static boolean isExtent(String name) {
        return FileNames.openExtent(name).isPresent()
                || FileNames.sealedExtent(name).isPresent();
    }

    /** Opens a directory. Reads names only: extents are looked into when they are asked for. */
    public static ExtentStore open(
            Disk disk, StoreConfig config, Supplier<Checksum> checksums, LongSupplier nanoTime, Supplier<UUID> ids)
            throws IOException {
        ExtentStore store = new ExtentStore(disk, config, checksums, nanoTime, ids);
        store.adopt(disk.list());
        return store;
    }

    private void adopt(Collection<String> names) throws IOException {
        List<String> free = new ArrayList<>();
        for (String name : names) {
            OptionalLong open = FileNames.openExtent(name);
            OptionalLong sealed = FileNames.sealedExtent(name);
            if (open.isPresent()) {
                extents.putIfAbsent(
                        open.getAsLong(), new StoredExtent(open.getAsLong(), StoredExtent.State.UNSETTLED, name));
            } else if (sealed.isPresent()) {
                adoptSealed(sealed.getAsLong(), name);
            } else if (FileNames.fencedExtent(name).isPresent() || name.equals(FileNames.DEAD_WRITERS)) {
                fences.adopt(name);
            } else if (name.startsWith(FileNames.FREE_PREFIX)) {
                free.add(name);
            } else if (name.startsWith(FileNames.FILLING_PREFIX)
                    || name.startsWith(FileNames.REPAIR_PREFIX)
                    || name.endsWith(FileNames.TEMPORARY)) {
                disk.delete(name);
            }
        }
        files.pool().adopt(free);
        fences.fold(extents.keySet());
    }

    private void adoptSealed(long extentId, String name) {
        StoredExtent extent = new StoredExtent(extentId, StoredExtent.State.SETTLED, name);
        extent.durableLength = FileNames.sealedLength(name);
        extent.sealedName = true;
        extents.put(extentId, extent);
    }

    public String storeId() {
        return storeId;
    }

    // ---- as a replica of a live writer

    /** See {@link io.catchment.wal.replica.Replica#create}. */
    public void create(ExtentHeader header) throws IOException {
        long extentId = header.extentId();
        fences.refuseCreation(header);
        StoredExtent existing = extents.get(extentId);
        if (existing != null && (existing.state != StoredExtent.State.OPEN || existing.durableLength != 0)) {
            throw new IOException("extent " + extentId
                    + " is already in this WAL directory: it belongs to another cluster, or to a lost control plane");
        }
        if (existing != null) {
            extents.remove(extentId);
            indexes.forget(existing);
            ExtentFiles.closeQuietly(existing);
        }
        String name = FileNames.open(extentId);
        DiskFile file = files.take(name, header.lane(), expectedBytes(header.lane()));
        try {
            file.write(0, header.encode());
            file.sync();
            disk.syncNames();
        } catch (IOException failed) {
            files.discard(file, name);
            throw failed;
        }
        StoredExtent extent = new StoredExtent(extentId, StoredExtent.State.OPEN, name);
        extent.file = file;
        extent.lane = header.lane();
        extent.index = scanners.index(extentId, () -> files.of(extent));
        extents.put(extentId, extent);
    }

    /** See {@link io.catchment.wal.replica.Replica#append}. */
    public Appended append(WriteGroup group) throws IOException {
        StoredExtent extent = held(group.extentId());
        extent.lock.lock();
        try {
            fences.refuseWriter(extent.extentId, group.writerEpoch());
            requireWritable(extent, group.position());
            group.verify();
            return write(extent, group);
        } finally {
            extent.lock.unlock();
        }
    }

    private Appended write(StoredExtent extent, WriteGroup group) throws IOException {
        DiskFile file = files.of(extent);
        long started = nanoTime.getAsLong();
        long written;
        try {
            file.write(group.position(), wholePages(group));
            written = nanoTime.getAsLong();
            file.sync();
        } catch (IOException failed) {
            extent.broken = true;
            throw failed;
        }
        long synced = nanoTime.getAsLong();
        if (extent.index instanceof MemoryIndex index) {
            index.append(group.rows());
        }
        extent.durableLength = group.endPosition();
        return new Appended(group.endPosition(), written - started, synced - written);
    }

    /**
     * The group, and zeros to the end of its last page: a page that is not in the page cache, as those of a file that was filled past it,
     * would have to be read before a part of it could be written. The next group begins where this one ends, over the zeros.
     */
    private static ByteBuffer[] wholePages(WriteGroup group) {
        ByteBuffer[] frames = group.buffers();
        ByteBuffer[] whole = Arrays.copyOf(frames, frames.length + 1);
        int missing = (int) Math.floorMod(-group.endPosition(), (long) PAGE_BYTES);
        whole[frames.length] = PAGE_OF_ZEROS.duplicate().limit(missing);
        return whole;
    }

    private static void requireWritable(StoredExtent extent, long position) throws IOException {
        if (extent.state != StoredExtent.State.OPEN || extent.broken) {
            throw new IOException("extent " + extent.extentId + " takes no more bytes: it is "
                    + (extent.broken ? "broken by an earlier fault" : extent.state));
        }
        long end = Math.max(extent.durableLength, ExtentHeader.BYTES);
        if (position != end) {
            throw new IllegalStateException("extent " + extent.extentId + " ends at " + end + ", a write at " + position
                    + " would leave a hole or overwrite (W3)");
        }
    }

    /** See {@link io.catchment.wal.replica.Replica#acknowledged}. */
    public void acknowledged(long extentId, long length) {
        StoredExtent extent = extents.get(extentId);
        if (extent != null && extent.state == StoredExtent.State.OPEN) {
            extent.acknowledgedLength = length;
        }
    }

    // ---- ending an extent

    /** See {@link io.catchment.wal.replica.Replica#finish}. */
    public void finish(long extentId, long length) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent == null || length == 0) {
            return;
        }
        extent.lock.lock();
        try {
            if (extent.state == StoredExtent.State.OPEN && extent.durableLength == length) {
                writeFooter(extent, length);
            }
        } finally {
            extent.lock.unlock();
        }
    }

    private void writeFooter(StoredExtent extent, long length) throws IOException {
        if (extent.footerWritten || extent.broken || !(extent.index instanceof MemoryIndex index)) {
            return;
        }
        DiskFile file = files.of(extent);
        try {
            if (FooterWriter.write(extent.extentId, length, index, file)) {
                file.sync();
                extent.footerWritten = true;
            }
        } catch (IOException failed) {
            extent.broken = true;
            throw failed;
        }
    }

    /**
     * See {@link io.catchment.wal.replica.Replica#settle}. What has its final length and is in doubt since is verified. In
     * memory the extent is settled even when the disk then fails to record it; call again until it does, or let the next
     * start do it.
     */
    public void settle(long extentId, long length) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent == null) {
            if (length > 0) {
                throw new CorruptExtentException(
                        "extent " + extentId + " is sealed at " + length + " but not in this WAL directory", 0);
            }
            return;
        }
        extent.lock.lock();
        try {
            boolean news = extent.state != StoredExtent.State.SETTLED;
            settleInMemory(extent, length);
            Lane lane = extent.lane;
            if (news && lane != null && length > 0) {
                expected.ended(lane, length);
            }
            settleOnDisk(extent, length);
        } finally {
            extent.lock.unlock();
            indexes.changed(extent);
        }
    }

    private void settleInMemory(StoredExtent extent, long length) throws IOException {
        switch (extent.state) {
            case SETTLED -> {
                if (extent.durableLength != length) {
                    throw new CorruptExtentException(
                            "extent " + extent.extentId + " has final length " + extent.durableLength + " here and "
                                    + length + " in the control plane (W2)",
                            extent.durableLength);
                }
                if (extent.doubted) {
                    verify(extent);
                }
            }
            case OPEN -> cut(extent, length, extent.durableLength);
            case UNSETTLED, CORRUPT ->
                cut(
                        extent,
                        length,
                        unsettledFiles
                                .scan(extent, fences.answeredLength(extent.extentId))
                                .validLength());
        }
    }

    /** Of what has a final length nothing is cut. While it is damaged its good frames are served: it may be the last copy. */
    private void verify(StoredExtent extent) throws IOException {
        ExtentScan scan = scanned(extent);
        if (scan.validLength() != extent.durableLength) {
            throw new CorruptExtentException(
                    "extent " + extent.extentId + " is sealed at " + extent.durableLength + " but damaged here at "
                            + scan.validLength(),
                    scan.validLength());
        }
        // Whatever is the matter with the footer, nobody needs it now.
        extent.index = scan.index();
        extent.doubted = false;
    }

    private ExtentScan scanned(StoredExtent extent) throws IOException {
        return scanners.of(files.of(extent), extent.extentId, extent.durableLength)
                .scan();
    }

    private static void cut(StoredExtent extent, long length, long validLength) throws IOException {
        if (validLength < length) {
            extent.state = StoredExtent.State.CORRUPT;
            throw new CorruptExtentException(
                    "extent " + extent.extentId + " is sealed at " + length + " but valid here only up to "
                            + validLength,
                    validLength);
        }
        if (extent.index instanceof MemoryIndex index) {
            index.cut(length);
        }
        extent.durableLength = length;
        extent.state = StoredExtent.State.SETTLED;
        extent.scan = null;
    }

    private void settleOnDisk(StoredExtent extent, long length) throws IOException {
        if (extent.sealedName || extent.fileName.isEmpty()) {
            return;
        }
        if (length == 0) {
            files.recycle(extent);
            return;
        }
        try {
            writeFooter(extent, length);
        } catch (IOException failed) {
            LOG.warn(
                    "Extent {} has no index footer, the next start scans it instead: {}",
                    extent.extentId,
                    failed.toString());
        }
        String sealed = FileNames.sealed(extent.extentId, length);
        if (!extent.fileName.equals(sealed)) {
            disk.rename(extent.fileName, sealed);
            extent.fileName = sealed;
        }
        disk.syncNames();
        extent.sealedName = true;
    }

    // ---- recovery

    /** See {@link io.catchment.wal.replica.Replica#fence}. */
    public long fence(ExtentHeader header, long recoveryEpoch) throws IOException {
        long extentId = header.extentId();
        fences.refuseLateRecovery(extentId, recoveryEpoch);
        StoredExtent extent = extents.get(extentId);
        if (extent == null) {
            return fences.persist(header, recoveryEpoch, 0);
        }
        extent.lock.lock();
        try {
            return fences.persist(header, recoveryEpoch, fencedLength(extent, header));
        } finally {
            extent.lock.unlock();
        }
    }

    private long fencedLength(StoredExtent extent, ExtentHeader header) throws IOException {
        return switch (extent.state) {
            case OPEN, SETTLED -> extent.durableLength;
            case UNSETTLED -> extent.fileName.isEmpty() ? 0 : madeDurable(extent, header);
            case CORRUPT ->
                throw new CorruptExtentException(
                        "extent " + extent.extentId + " is damaged before its durable length", validPrefix(extent));
        };
    }

    private long madeDurable(StoredExtent extent, ExtentHeader header) throws IOException {
        if (extent.broken) {
            // A copy failed here: what it left in the page cache may look whole.
            FreshFile.replace(extent, header, files, disk);
            extent.scan = null;
        }
        return unsettledFiles.cutAndSync(extent, fences.answeredLength(extent.extentId));
    }

    private static long validPrefix(StoredExtent extent) {
        ExtentScan scan = extent.scan;
        return scan == null ? 0 : scan.validLength();
    }

    /** See {@link io.catchment.wal.replica.Replica#fetch}. */
    public ByteBuffer fetch(long extentId, long position, int bytesMax) throws IOException {
        StoredExtent extent = held(extentId);
        int bytes = (int) Math.max(0, Math.min(bytesMax, extent.durableLength - position));
        if (bytes == 0 || extent.state == StoredExtent.State.CORRUPT) {
            throw new IOException("extent " + extentId + " has no bytes at " + position + " here: it is " + extent.state
                    + ", " + extent.durableLength + " long");
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
        files.of(extent).read(position, buffer);
        if (buffer.hasRemaining()) {
            throw new CorruptExtentException("extent " + extentId + " ends before its durable length", 0);
        }
        return buffer.flip();
    }

    /** See {@link io.catchment.wal.replica.Replica#copy}. */
    public long copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) throws IOException {
        fences.refuseOtherRecovery(header.extentId(), recoveryEpoch);
        StoredExtent extent = extents.computeIfAbsent(
                header.extentId(), id -> new StoredExtent(id, StoredExtent.State.UNSETTLED, ""));
        extent.lock.lock();
        try {
            return copyTail(extent, header, position, bytes);
        } finally {
            extent.lock.unlock();
        }
    }

    private long copyTail(StoredExtent extent, ExtentHeader header, long position, ByteBuffer bytes)
            throws IOException {
        long end = Math.max(extent.durableLength, ExtentHeader.BYTES);
        if (position != end || extent.state == StoredExtent.State.SETTLED) {
            throw new IOException("extent " + extent.extentId + " takes no copy at " + position + ", it ends at " + end
                    + " and is " + extent.state);
        }
        if (extent.broken && !extent.fileName.isEmpty()) {
            FreshFile.replace(extent, header, files, disk);
        }
        if (extent.fileName.isEmpty()) {
            String name = FileNames.open(extent.extentId);
            extent.file = files.take(name, header.lane(), position + bytes.remaining());
            extent.fileName = name;
        }
        DiskFile file = files.of(extent);
        try {
            if (extent.durableLength == 0) {
                file.write(0, header.encode());
                disk.syncNames();
            }
            long length = position + bytes.remaining();
            file.write(position, bytes);
            file.sync();
            extent.durableLength = length;
            extent.state = StoredExtent.State.UNSETTLED;
            extent.scan = null;
            return length;
        } catch (IOException failed) {
            extent.broken = true;
            throw failed;
        }
    }

    // ---- repair

    /**
     * Settles a copy that no record names, and reads all of it. Nobody counted on this copy so far, so what of it may not be
     * on disk is written once more: its last sync may have failed. Fails with {@link CorruptExtentException} unless it is
     * all of what was written.
     */
    public void verify(long extentId, long length) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent != null) {
            extent.lock.lock();
            try {
                makeCopyDurable(extent);
            } finally {
                extent.lock.unlock();
            }
        }
        settle(extentId, length);
        if (!whole(extentId, length)) {
            throw new CorruptExtentException(
                    "extent " + extentId + " is sealed at " + length + " and not all of it is what was written", 0);
        }
    }

    private void makeCopyDurable(StoredExtent extent) throws IOException {
        if (extent.state != StoredExtent.State.UNSETTLED || extent.fileName.isEmpty()) {
            return;
        }
        if (extent.broken) {
            throw new IOException("extent " + extent.extentId
                    + " was not copied to its end: a write failed, and nobody knows what of it is on disk");
        }
        unsettledFiles.cutAndSync(extent, fences.answeredLength(extent.extentId));
    }

    /** Whether all of a sealed extent is here, can be read and is what was written: reads all of it. */
    public boolean whole(long extentId, long length) {
        StoredExtent extent = extents.get(extentId);
        if (extent == null || extent.state != StoredExtent.State.SETTLED || extent.durableLength != length) {
            return false;
        }
        try {
            return length == 0 || scanned(extent).validLength() == length;
        } catch (IOException unreadable) {
            LOG.warn("Extent {} cannot be read: {}", extentId, unreadable.toString());
            return false;
        }
    }

    /** Begins to copy a sealed extent into this store; the caller fetches the pieces. */
    public ExtentRepair beginRepair(ExtentHeader header, long length) throws IOException {
        return new ExtentRepair(disk, files, scanners, header, length);
    }

    /** A verified copy takes the place of whatever was here of the extent. */
    public void finishRepair(ExtentRepair repair) throws IOException {
        StoredExtent repaired = repair.finish();
        StoredExtent old = extents.put(repaired.extentId, repaired);
        indexes.changed(repaired);
        if (old != null) {
            indexes.forget(old);
            old.releaseForDeletion(() -> replaced(old, repaired));
        }
    }

    /** Callers are the last reader of the old copy, or the repair itself. */
    private void replaced(StoredExtent old, StoredExtent by) {
        ExtentFiles.closeQuietly(old);
        try {
            if (!old.fileName.isEmpty() && !old.fileName.equals(by.fileName)) {
                disk.delete(old.fileName);
                disk.syncNames();
            }
        } catch (IOException failed) {
            LOG.warn("The old copy of extent {} stays on disk: {}", by.extentId, failed.toString());
        }
    }

    // ---- deletion

    /**
     * Forgets an extent; its file is recycled once no reader is left. Idempotent.
     *
     * @param executor where the file is recycled
     * @param done told when that happened, with the failure if it did
     */
    public void delete(long extentId, Executor executor, Consumer<@Nullable IOException> done) {
        StoredExtent extent = extents.remove(extentId);
        if (extent == null) {
            done.accept(null);
            return;
        }
        indexes.forget(extent);
        extent.releaseForDeletion(() -> executor.execute(() -> done.accept(recycle(extent))));
    }

    /** See {@link io.catchment.wal.replica.Replica#discard}; parameters as in {@link #delete}. */
    public void discard(long extentId, Executor executor, Consumer<@Nullable IOException> done) {
        StoredExtent extent = extents.get(extentId);
        if (extent == null || extent.state == StoredExtent.State.SETTLED) {
            done.accept(null);
        } else {
            delete(extentId, executor, done);
        }
    }

    private @Nullable IOException recycle(StoredExtent extent) {
        extent.lock.lock();
        try {
            files.recycle(extent);
            fences.remove(extent.extentId);
            return null;
        } catch (IOException failed) {
            return failed;
        } finally {
            extent.lock.unlock();
        }
    }

    // ---- what is here

    /** Ids of all extents, ascending. */
    public List<Long> extents() {
        return List.copyOf(extents.keySet());
    }

    /** Ids of extents of an earlier run that have no final length yet, and of those whose bytes are damaged or in doubt. */
    public List<Long> unsettled() {
        return extents.values().stream()
                .filter(extent -> extent.state == StoredExtent.State.UNSETTLED
                        || extent.state == StoredExtent.State.CORRUPT
                        || extent.doubted)
                .map(extent -> extent.extentId)
                .toList();
    }

    /** How far readers may see; empty if the extent is not here or not settled. */
    public OptionalLong visibleLength(long extentId) {
        StoredExtent extent = extents.get(extentId);
        return extent == null || !served(extent) ? OptionalLong.empty() : OptionalLong.of(extent.visibleLength());
    }

    public int count(boolean open) {
        return (int) extents.values().stream()
                .filter(extent -> (extent.state == StoredExtent.State.OPEN) == open)
                .count();
    }

    public long bytesHeld() {
        return extents.values().stream()
                .mapToLong(extent -> extent.durableLength)
                .sum();
    }

    public long indexBytes() {
        return ExtentIndexes.memoryBytes(extents.values());
    }

    public int recycledFiles() {
        return files.pool().count();
    }

    /** Size of a file that the lane's next extent is likely to fit in. */
    long expectedBytes(Lane lane) {
        long longestOpen = 0;
        for (StoredExtent extent : extents.values()) {
            if (extent.state == StoredExtent.State.OPEN && extent.lane == lane) {
                longestOpen = Math.max(longestOpen, extent.durableLength);
            }
        }
        return expected.of(lane, longestOpen);
    }

    FilePool pool() {
        return files.pool();
    }

    public long usableBytes() throws IOException {
        return disk.usableBytes() + files.pool().bytes();
    }

    /** An extent that may be read, retained: the caller releases it. */
    Optional<StoredExtent> acquire(long extentId) {
        StoredExtent extent = extents.get(extentId);
        return extent != null && served(extent) && extent.retain() ? Optional.of(extent) : Optional.empty();
    }

    private static boolean served(StoredExtent extent) {
        return extent.state == StoredExtent.State.OPEN || extent.state == StoredExtent.State.SETTLED;
    }

    ExtentIndexes indexes() {
        return indexes;
    }

    DiskFile fileOf(StoredExtent extent) throws IOException {
        return files.of(extent);
    }

    Checksum newChecksum() {
        return checksums.get();
    }

    private StoredExtent held(long extentId) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent == null) {
            throw new NoSuchFileException("extent " + extentId + " is not in this WAL directory");
        }
        return extent;
    }

    /** Closes all files. */
    public void close() {
        extents.values().forEach(ExtentFiles::closeQuietly);
    }
}
