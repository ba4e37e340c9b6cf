package io.catchment.wal.testing;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Authority;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Keeps what it hears, and lets a test wait for it with a deadline. Guarded by its monitor. */
public final class RecordingListener implements WalListener {
    private static final long DEADLINE_MS = 20_000;

    /** Something the listener heard; {@code value} is an offset, a length, or 1 for accepting. */
    public record Event(String what, Lane lane, long extentId, long value, String text) {}

    private final List<Event> events = new ArrayList<>();

    @Override
    public synchronized void acknowledged(Lane lane, List<Acknowledged> group) {
        for (Acknowledged one : group) {
            events.add(
                    new Event("acknowledged", lane, one.extentId(), one.frame().baseOffset(), ""));
        }
        notifyAll();
    }

    @Override
    public synchronized void rollDue(Lane lane, long extentId) {
        events.add(new Event("rollDue", lane, extentId, 0, ""));
        notifyAll();
    }

    @Override
    public synchronized void sealed(Lane lane, long extentId, long length) {
        events.add(new Event("sealed", lane, extentId, length, ""));
        notifyAll();
    }

    @Override
    public synchronized void laneState(Lane lane, boolean accepting, String reason) {
        events.add(new Event("laneState", lane, 0, accepting ? 1 : 0, reason));
        notifyAll();
    }

    @Override
    public synchronized void authority(Lane lane, Authority authority, String reason) {
        events.add(new Event("authority", lane, 0, authority == Authority.HELD ? 1 : 0, authority + " " + reason));
        notifyAll();
    }

    public synchronized List<Event> all(String what) {
        return events.stream().filter(event -> event.what().equals(what)).toList();
    }

    /** Waits until so many events of a kind came, and answers them. */
    public List<Event> await(String what, int count) {
        return await(what, count, event -> true);
    }

    public synchronized List<Event> await(String what, int count, Predicate<Event> which) {
        long deadline = System.nanoTime() + DEADLINE_MS * 1_000_000;
        while (true) {
            List<Event> found = all(what).stream().filter(which).toList();
            long leftMs = (deadline - System.nanoTime()) / 1_000_000;
            if (found.size() >= count) {
                return found;
            }
            if (leftMs <= 0) {
                throw new AssertionError("waited for " + count + " × " + what + ", heard " + events);
            }
            try {
                wait(leftMs);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
