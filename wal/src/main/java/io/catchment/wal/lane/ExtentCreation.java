package io.catchment.wal.lane;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.Replicas;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Creates one registered extent on the stores of its ensemble. Owned by the lane's loop. It is ready when all have it, or a
 * moment after a quorum has it: who has not answered by then counts as failed. Where there are others, this node's own store counts as
 * failed after its limit, too: without a quorum nothing else would end the wait for a disk that stands still.
 */
final class ExtentCreation {
    /**
     * @param extent with the members marked that failed; null if there is no quorum
     * @param fenced a store knows that this node's epoch is over
     */
    record Result(@Nullable OpenExtent extent, String failure, boolean fenced) {}

    private final ExtentDescriptor descriptor;
    private final Loop loop;
    private final AvoidedStores avoided;
    private final StoreRef localStore;
    private final QuorumConfig quorum;
    private final long graceMs;
    private final Consumer<Result> done;
    private final List<@Nullable String> answers = new ArrayList<>();
    private @Nullable OpenExtent extent;
    private Loop.@Nullable Timer limit;
    private int created;
    private int answered;
    private boolean decided;
    private boolean fenced;
    private String failure = "";

    /** @param waiting frames wait for it */
    ExtentCreation(
            ExtentDescriptor descriptor,
            Loop loop,
            AvoidedStores avoided,
            StoreRef localStore,
            QuorumConfig quorum,
            boolean waiting,
            Consumer<Result> done) {
        this.descriptor = descriptor;
        this.loop = loop;
        this.avoided = avoided;
        this.localStore = localStore;
        this.quorum = quorum;
        this.graceMs = waiting ? quorum.graceMs() : quorum.graceAheadMs();
        this.done = done;
    }

    void start(Replicas replicas) {
        List<Replica> members = new ArrayList<>();
        for (StoreRef store : descriptor.ensemble()) {
            Optional<Replica> member = replicas.find(store);
            members.add(member.orElseGet(() -> new LostReplica(store)));
            answers.add(null);
        }
        extent = new OpenExtent(descriptor, members);
        ExtentHeader header = header(descriptor);
        for (int i = 0; i < members.size(); i++) {
            int member = i;
            Failures.stage(() -> members.get(member).create(header))
                    .whenComplete((done, failed) -> loop.execute(() -> answered(member, failed)));
            if (members.size() > 1 && members.get(i).store().equals(localStore)) {
                limit = loop.schedule(quorum.localEndMsMax(), () -> answered(member, late()));
            }
        }
    }

    private IOException late() {
        return new IOException(localStore + " has not answered for " + quorum.localEndMsMax() + " ms");
    }

    static ExtentHeader header(ExtentDescriptor descriptor) {
        return new ExtentHeader(
                descriptor.extentId(),
                descriptor.writerNodeId(),
                descriptor.writerEpoch(),
                descriptor.lane(),
                descriptor.ackQuorum());
    }

    private void answered(int member, @Nullable Throwable failed) {
        if (decided || answers.get(member) != null) {
            return;
        }
        answered++;
        if (failed == null) {
            answers.set(member, "");
            if (++created == descriptor.ackQuorum() && answered < answers.size()) {
                loop.schedule(graceMs, this::decide);
            }
        } else {
            Throwable cause = Failures.root(failed);
            failure = "creating extent " + descriptor.extentId() + " failed: " + Failures.text(cause);
            answers.set(member, failure);
            fenced |= Failures.fenced(cause);
        }
        boolean hopeless = created + answers.size() - answered < descriptor.ackQuorum();
        if (fenced || answered == answers.size() || (hopeless && answers.size() > 1)) {
            decide();
        }
    }

    private void decide() {
        OpenExtent result = extent;
        if (decided || result == null) {
            return;
        }
        decided = true;
        if (limit != null) {
            limit.cancel();
        }
        for (int i = 0; i < answers.size(); i++) {
            String answer = answers.get(i);
            if (answer == null || !answer.isEmpty()) {
                result.replicaFailed(i, answer == null ? result.replicas.get(i).store() + " did not answer" : answer);
                if (answer != null || created >= descriptor.ackQuorum()) {
                    avoided.add(result.replicas.get(i).store());
                }
            }
        }
        done.accept(new Result(created >= descriptor.ackQuorum() ? result : null, failure, fenced));
    }
}
