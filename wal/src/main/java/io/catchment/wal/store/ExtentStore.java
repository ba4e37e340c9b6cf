package io.catchment.wal.store;

import io.catchment.wal.Lane;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica.Appended;
import io.catchment.wal.replica.WriteGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * One WAL directory as a replica: thread-safe and blocking; each extent's writes are serialised by its own lock. What is done with the extents
 * is told by {@link LiveExtents}, {@link ExtentEnds}, {@link RecoveredExtents} and {@link ExtentCopies}; here they are found, forgotten and counted.
 */
public final class ExtentStore {
    private final Disk disk;
    private final Supplier<Checksum> checksums;
    private final String storeId;
    private final Extents extents = new Extents();
    private final ExtentFiles files;
    private final ExtentIndexes indexes;
    private final Fences fences;
    private final LiveExtents live;
    private final ExtentEnds ends;
    private final RecoveredExtents recovered;
    private final ExtentCopies copies;

    private ExtentStore(
            Disk disk, StoreConfig config, Supplier<Checksum> checksums, LongSupplier nanoTime, Supplier<UUID> ids)
            throws IOException {
        this.disk = disk;
        this.checksums = checksums;
        this.storeId = StoreId.readOrWrite(disk, ids);
        this.files = new ExtentFiles(disk, config);
        this.fences = new Fences(disk);
        ExtentScanners scanners = new ExtentScanners(checksums, config.fileBytes());
        this.indexes = new ExtentIndexes(files, scanners, config.indexBytesMax(), extents::isHere);
        ExpectedBytes expected = new ExpectedBytes(config.fileBytes());
        UnsettledFiles unsettled = new UnsettledFiles(disk, scanners);
        this.live = new LiveExtents(disk, extents, files, expected, scanners, indexes, fences, nanoTime);
        this.ends = new ExtentEnds(disk, extents, files, expected, scanners, indexes, fences, unsettled);
        this.recovered = new RecoveredExtents(disk, extents, files, fences, unsettled);
        this.copies = new ExtentCopies(disk, extents, files, scanners, indexes, fences, unsettled, ends);
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
                extents.addIfAbsent(new StoredExtent(open.getAsLong(), StoredExtent.State.UNSETTLED, name));
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
        fences.fold(extents.idSet());
    }

    private void adoptSealed(long extentId, String name) {
        StoredExtent extent = new StoredExtent(extentId, StoredExtent.State.SETTLED, name);
        extent.durableLength = FileNames.sealedLength(name);
        extent.sealedName = true;
        extents.add(extent);
    }

    public String storeId() {
        return storeId;
    }

    /** See {@link io.catchment.wal.replica.Replica#create}. */
    public void create(ExtentHeader header) throws IOException {
        live.create(header);
    }

    /** See {@link io.catchment.wal.replica.Replica#append}. */
    public Appended append(WriteGroup group) throws IOException {
        return live.append(group);
    }

    /** See {@link io.catchment.wal.replica.Replica#acknowledged}. */
    public void acknowledged(long extentId, long length) {
        live.acknowledged(extentId, length);
    }

    /** See {@link io.catchment.wal.replica.Replica#finish}. */
    public void finish(long extentId, long length) throws IOException {
        ends.finish(extentId, length);
    }

    /** See {@link ExtentEnds#settle}. */
    public void settle(long extentId, long length) throws IOException {
        ends.settle(extentId, length);
    }

    /** See {@link io.catchment.wal.replica.Replica#fence}. */
    public long fence(ExtentHeader header, long recoveryEpoch) throws IOException {
        return recovered.fence(header, recoveryEpoch);
    }

    /** See {@link io.catchment.wal.replica.Replica#fetch}. */
    public ByteBuffer fetch(long extentId, long position, int bytesMax) throws IOException {
        return recovered.fetch(extentId, position, bytesMax);
    }

    /** See {@link io.catchment.wal.replica.Replica#copy}. */
    public long copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) throws IOException {
        return recovered.copy(header, recoveryEpoch, position, bytes);
    }

    /** See {@link ExtentCopies#verify}. */
    public void verify(long extentId, long length) throws IOException {
        copies.verify(extentId, length);
    }

    /** Whether all of a sealed extent is here, can be read and is what was written: reads all of it. */
    public boolean whole(long extentId, long length) {
        return copies.whole(extentId, length);
    }

    /** Begins to copy a sealed extent into this store; the caller fetches the pieces. */
    public ExtentRepair beginRepair(ExtentHeader header, long length) throws IOException {
        return copies.beginRepair(header, length);
    }

    /** A verified copy takes the place of whatever was here of the extent. */
    public void finishRepair(ExtentRepair repair) throws IOException {
        copies.finishRepair(repair);
    }

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

    /** Ids of all extents, ascending. */
    public List<Long> extents() {
        return extents.ids();
    }

    /** Ids of extents of an earlier run that have no final length yet, and of those whose bytes are damaged or in doubt. */
    public List<Long> unsettled() {
        return extents.unsettled();
    }

    /** How far readers may see; empty if the extent is not here or not settled. */
    public OptionalLong visibleLength(long extentId) {
        return extents.visibleLength(extentId);
    }

    public int count(boolean open) {
        return extents.count(open);
    }

    public long bytesHeld() {
        return extents.bytesHeld();
    }

    public long indexBytes() {
        return ExtentIndexes.memoryBytes(extents.all());
    }

    public int recycledFiles() {
        return files.pool().count();
    }

    /** Size of a file that the lane's next extent is likely to fit in. */
    long expectedBytes(Lane lane) {
        return live.expectedBytes(lane);
    }

    FilePool pool() {
        return files.pool();
    }

    public long usableBytes() throws IOException {
        return disk.usableBytes() + files.pool().bytes();
    }

    /** An extent that may be read, retained: the caller releases it. */
    Optional<StoredExtent> acquire(long extentId) {
        return extents.acquire(extentId);
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

    /** Closes all files. */
    public void close() {
        extents.all().forEach(ExtentFiles::closeQuietly);
    }
}
