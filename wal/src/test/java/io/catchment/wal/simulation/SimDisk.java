package io.catchment.wal.simulation;

import io.catchment.wal.disk.CachedFill;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.disk.ZeroFill;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A disk that forgets what was not synced. Name changes are a journal of which a crash keeps a prefix; of unsynced writes a
 * crash keeps nothing, all, some sectors, or a prefix of bytes. A failed sync leaves its bytes readable, counts them as
 * clean, and may have written any part of them: a later successful sync changes nothing about that. Clean pages may leave
 * the cache at any time: then what is on disk shows.
 */
final class SimDisk implements Disk {
    private static final int SECTOR = 512;
    private static final int PAGE = 4096;

    /** What goes wrong now; changed by the run. */
    enum Weather {
        FINE,
        /** Each operation fails with a certain probability. */
        ERRORS,
        READ_ONLY,
        FULL
    }

    private record Write(int position, byte[] bytes) {}

    private static final class Inode {
        private byte[] durable = new byte[0];
        private byte[] cached = new byte[0];
        private final List<Write> unsynced = new ArrayList<>();
        /** A sync failed: not all that is clean is on disk. */
        private boolean lies;

        private boolean dirty(int page) {
            int start = page * PAGE;
            return unsynced.stream()
                    .anyMatch(write -> write.position < start + PAGE && write.position + write.bytes.length > start);
        }
    }

    private final SplittableRandom random;
    private final Map<String, Inode> names = new TreeMap<>();
    private final Map<String, Inode> durableNames = new TreeMap<>();
    private final List<Consumer<Map<String, Inode>>> nameChanges = new ArrayList<>();
    private long life;
    private Weather weather = Weather.FINE;
    private long capacityBytes = Long.MAX_VALUE;
    private long operationsUntilCrash = Long.MAX_VALUE;
    private int syncsUntilFailure = Integer.MAX_VALUE;
    private Runnable whenSyncFailed = () -> {};
    private boolean lyingSync;
    private boolean forgetsFences;

    SimDisk(SplittableRandom random) {
        this.random = random;
    }

    void weather(Weather now) {
        weather = now;
    }

    void capacity(long bytes) {
        capacityBytes = bytes;
    }

    /** The mutation "acknowledged before synced": the sync of an extent says yes and does nothing. */
    void lieAboutSyncs() {
        lyingSync = true;
    }

    /** The mutation "the fence is not persisted": its file is never there. */
    void forgetFences() {
        forgetsFences = true;
    }

    /** One sync of a file with frames fails, so many from now, and somebody is told. */
    void failSync(int after, Runnable told) {
        syncsUntilFailure = after;
        whenSyncFailed = told;
    }

    void crashAfter(long operations) {
        operationsUntilCrash = operations;
    }

    /** The process is gone; with {@code powerLoss} so is what only the page cache had. */
    void crash(boolean powerLoss) {
        life++;
        operationsUntilCrash = Long.MAX_VALUE;
        if (!powerLoss) {
            return;
        }
        int kept = random.nextInt(nameChanges.size() + 1);
        nameChanges.subList(0, kept).forEach(change -> change.accept(durableNames));
        nameChanges.clear();
        names.clear();
        names.putAll(durableNames);
        for (Inode inode : new ArrayList<>(names.values())) {
            inode.unsynced.forEach(write -> persistPart(inode, write));
            inode.unsynced.clear();
            inode.cached = inode.durable.clone();
            inode.lies = false;
        }
    }

    private void evictSomePages(Inode inode) {
        for (int start = 0; start < inode.cached.length; start += PAGE) {
            if (random.nextBoolean() && !inode.dirty(start / PAGE)) {
                int bytes = Math.min(PAGE, inode.cached.length - start);
                System.arraycopy(grown(inode.durable, start + bytes), start, inode.cached, start, bytes);
            }
        }
    }

    private void persistPart(Inode inode, Write write) {
        int bytes = write.bytes.length;
        switch (random.nextInt(4)) {
            case 0 -> {}
            case 1 -> persist(inode, write, 0, bytes);
            case 2 -> persist(inode, write, 0, random.nextInt(bytes + 1));
            default -> {
                int at = 0;
                while (at < bytes) {
                    int end = Math.min(bytes, at + SECTOR - (write.position + at) % SECTOR);
                    if (random.nextBoolean()) {
                        persist(inode, write, at, end);
                    }
                    at = end;
                }
            }
        }
    }

    private static void persist(Inode inode, Write write, int from, int to) {
        if (to > from) {
            inode.durable = grown(inode.durable, write.position + to);
            System.arraycopy(write.bytes, from, inode.durable, write.position + from, to - from);
        }
    }

    private static byte[] grown(byte[] bytes, int length) {
        return bytes.length >= length ? bytes : Arrays.copyOf(bytes, length);
    }

    /** Damages durable bytes; false if the file is not there or too short. */
    boolean flipBit(String name, int position) {
        Inode inode = names.get(name);
        if (inode == null || position >= inode.durable.length) {
            return false;
        }
        inode.durable[position] ^= 1;
        inode.cached = inode.durable.clone();
        return true;
    }

    private void operation(boolean writes) throws IOException {
        if (--operationsUntilCrash <= 0) {
            throw new SimCrash(this);
        }
        switch (weather) {
            case FINE, FULL -> {}
            case ERRORS -> {
                if (random.nextInt(4) == 0) {
                    throw new IOException("Input/output error (simulated)");
                }
            }
            case READ_ONLY -> {
                if (writes) {
                    throw new IOException("Read-only file system (simulated)");
                }
            }
        }
    }

    private void change(Consumer<Map<String, Inode>> change) {
        change.accept(names);
        nameChanges.add(change);
    }

    @Override
    public List<String> list() throws IOException {
        operation(false);
        return List.copyOf(names.keySet());
    }

    @Override
    public DiskFile create(String name) throws IOException {
        operation(true);
        if (names.containsKey(name)) {
            throw new FileAlreadyExistsException(name);
        }
        Inode inode = new Inode();
        change(map -> map.put(name, inode));
        return new SimFile(inode);
    }

    @Override
    public ZeroFill fill(String name) throws IOException {
        return new CachedFill(create(name), 0);
    }

    @Override
    public DiskFile open(String name) throws IOException {
        operation(false);
        Inode inode = names.get(name);
        if (inode == null) {
            throw new NoSuchFileException(name);
        }
        return new SimFile(inode);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        operation(true);
        Inode inode = names.get(from);
        if (inode == null) {
            throw new NoSuchFileException(from);
        }
        change(map -> {
            map.remove(from);
            if (!forgetsFences || !to.endsWith(".fence")) {
                map.put(to, inode);
            }
        });
    }

    @Override
    public void delete(String name) throws IOException {
        operation(true);
        if (names.containsKey(name)) {
            change(map -> map.remove(name));
        }
    }

    @Override
    public void syncNames() throws IOException {
        operation(true);
        nameChanges.forEach(change -> change.accept(durableNames));
        nameChanges.clear();
    }

    @Override
    public long usableBytes() throws IOException {
        operation(false);
        return weather == Weather.FULL ? 0 : Math.max(0, capacityBytes - used());
    }

    private long used() {
        return names.values().stream().mapToLong(inode -> inode.cached.length).sum();
    }

    private final class SimFile implements DiskFile {
        private final Inode inode;
        private final long openedIn = life;
        private boolean closed;

        SimFile(Inode inode) {
            this.inode = inode;
        }

        private void requireOpen() throws IOException {
            if (closed || openedIn != life) {
                throw new IOException("the file is closed");
            }
        }

        @Override
        public long sizeBytes() throws IOException {
            requireOpen();
            operation(false);
            return inode.cached.length;
        }

        @Override
        public void write(long position, ByteBuffer... buffers) throws IOException {
            requireOpen();
            int total = 0;
            for (ByteBuffer buffer : buffers) {
                total += buffer.remaining();
            }
            byte[] bytes = new byte[total];
            int at = 0;
            for (ByteBuffer buffer : buffers) {
                int part = buffer.remaining();
                buffer.get(bytes, at, part);
                at += part;
            }
            try {
                operation(true);
                refuseWhenFull(position + total);
            } catch (IOException | SimCrash failed) {
                // Any beginning of it may be in the file.
                cache(position, Arrays.copyOf(bytes, weather == Weather.READ_ONLY ? 0 : random.nextInt(total + 1)));
                throw failed;
            }
            cache(position, bytes);
        }

        private void refuseWhenFull(long end) throws IOException {
            long growth = end - inode.cached.length;
            if (growth > 0 && (weather == Weather.FULL || used() + growth > capacityBytes)) {
                throw new IOException("No space left on device (simulated)");
            }
        }

        private void cache(long position, byte[] bytes) {
            if (bytes.length > 0) {
                int at = Math.toIntExact(position);
                inode.cached = grown(inode.cached, at + bytes.length);
                System.arraycopy(bytes, 0, inode.cached, at, bytes.length);
                inode.unsynced.add(new Write(at, bytes));
            }
        }

        @Override
        public int read(long position, ByteBuffer into) throws IOException {
            requireOpen();
            operation(false);
            if (inode.lies && random.nextInt(4) == 0) {
                evictSomePages(inode);
            }
            int bytes = (int) Math.max(0, Math.min(into.remaining(), inode.cached.length - position));
            if (bytes > 0) {
                into.put(inode.cached, (int) position, bytes);
            }
            return bytes;
        }

        @Override
        public void sync() throws IOException {
            requireOpen();
            try {
                operation(true);
                failIfDue();
            } catch (IOException failed) {
                // The kernel reports it once and calls the pages clean.
                inode.unsynced.forEach(write -> persistPart(inode, write));
                inode.unsynced.clear();
                inode.lies = true;
                throw failed;
            }
            if (!lyingSync || inode.cached.length <= 4096) {
                inode.unsynced.forEach(write -> persist(inode, write, 0, write.bytes.length));
                inode.unsynced.clear();
            }
        }

        private void failIfDue() throws IOException {
            if (inode.cached.length > PAGE && syncsUntilFailure != Integer.MAX_VALUE && syncsUntilFailure-- == 0) {
                syncsUntilFailure = Integer.MAX_VALUE;
                whenSyncFailed.run();
                throw new IOException("Input/output error at a sync (simulated)");
            }
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
