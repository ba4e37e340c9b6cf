package io.catchment.chaos.clients;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A process that is a member of a group, and what it printed so far. Its fields are guarded by its lock: a thread reads its output. */
final class GroupMember implements AutoCloseable {
    /** Understands one line of output. */
    @FunctionalInterface
    interface Format {
        void read(String line, GroupMember member);
    }

    private final String name;
    private final Process process;
    private final boolean endsWithInput;
    private final Thread reader;
    private final Map<Integer, Set<Long>> got = new HashMap<>();
    private Set<Integer> assigned = Set.of();

    /** @param endsWithInput else with a signal */
    GroupMember(String name, Process process, boolean endsWithInput, Format format) {
        this.name = name;
        this.process = process;
        this.endsWithInput = endsWithInput;
        this.reader = new Thread(() -> follow(format), "member-" + name);
        reader.setDaemon(true);
        reader.start();
    }

    private void follow(Format format) {
        try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                format.read(line, this);
            }
        } catch (IOException e) {
            // it was killed
        }
    }

    String name() {
        return name;
    }

    synchronized void assigned(Set<Integer> partitions) {
        assigned = Set.copyOf(partitions);
    }

    synchronized void got(int partition, long offset) {
        got.computeIfAbsent(partition, any -> new HashSet<>()).add(offset);
    }

    synchronized Set<Integer> assigned() {
        return process.isAlive() ? assigned : Set.of();
    }

    /** Adds what it got so far. */
    synchronized void addTo(Map<Integer, Set<Long>> all) {
        got.forEach((partition, offsets) ->
                all.computeIfAbsent(partition, any -> new HashSet<>()).addAll(offsets));
    }

    /** kill -9. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
        reader.join();
    }

    /** Leaves its group. Returns when it is gone. */
    void leave() throws IOException, InterruptedException {
        if (endsWithInput) {
            process.getOutputStream().close();
        } else {
            process.destroy();
        }
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new IllegalStateException("a member of " + name + " did not leave in 30 s");
        }
        reader.join();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
