package io.catchment.broker.fetch;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.near.NearReads;
import io.catchment.broker.network.Request;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.BatchRuns;
import io.catchment.broker.read.StreamReader;
import io.catchment.objectstore.ReadClass;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.server.FetchContext;
import org.jspecify.annotations.Nullable;

/**
 * One fetch request from its arrival to its answer. Owned by the connection's event loop.
 *
 * <p>It waits on the partitions until min.bytes are there or max.wait is over, then reads: from the tail at once, below the
 * tail several partitions side by side, within the byte limits of KIP-74 (at least one batch of the first partition that has
 * any). A read below the tail that is late is left out of the answer and given up; the consumer asks again. Each run read
 * is held by its slot until the response takes it, so whatever way this ends, what is not answered is released here.
 */
final class FetchCall {
    /** Where the answer may name the present leader (KIP-951). */
    private static final short LEADER_HINT_VERSION = 16;

    /** So long a node that is not the owner reads; who asked is sent back to the owner then, who may have it at hand. */
    static final int NEAR_READ_MS = 1_000;

    /** Small ones take longer to begin than their bytes say: others want this event loop too. */
    private static final int COLD_READS_MAX = 256;

    private enum State {
        WAITING,
        READING,
        /** All reads are done but failed: answered late, so that the consumer does not ask in a tight loop. */
        HOLDING_BACK,
        DONE
    }

    private final Request request;
    private final short version;
    private final FetchContext context;
    private final FetchSlots slots;
    private final Services services;
    private final Consumer<@Nullable FetchResponse> afterAnswer;
    private final FetchReader reader;
    private final int bytesMax;
    private final int minBytes;
    private final long deadlineNanos;

    private State state = State.WAITING;
    private long readyBytes;
    private boolean answerAtOnce;
    private @Nullable ScheduledFuture<?> timer;
    private final List<ColdRead> coldReads = new ArrayList<>(0);
    private int outstanding;
    private int bytesRead;
    private boolean graceGiven;
    private boolean coldFailed;
    /** Where the client has to turn for partitions that are not here; null while there are none. */
    private @Nullable Map<Integer, Node> leaders;

    /** @param afterAnswer told what was answered, or null if nothing was */
    FetchCall(
            Request request,
            FetchContext context,
            FetchSlots slots,
            Services services,
            Consumer<@Nullable FetchResponse> afterAnswer) {
        FetchRequest body = (FetchRequest) request.body();
        this.request = request;
        this.version = request.header().apiVersion();
        this.context = context;
        this.slots = slots;
        this.services = services;
        this.afterAnswer = afterAnswer;
        this.reader = FetchReader.of(body, services.near());
        int answerMax = Math.min(request.answerBytesMax(), services.settings().responseBytesMax());
        if (!reader.follows()) {
            answerMax = Math.min(answerMax, services.quota().answerBytesMax(request));
        }
        this.bytesMax = Math.max(0, Math.min(body.maxBytes(), answerMax));
        this.minBytes = Math.min(body.minBytes(), bytesMax);
        this.deadlineNanos =
                request.eventLoop().ticker().nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.max(0, body.maxWait()));
    }

    /** What all calls share. */
    record Services(
            PartitionLookup lookup,
            StreamReader reader,
            FetchSettings settings,
            ReadFailures failures,
            FetchQuota quota,
            NearReads near) {}

    /** A read below the tail for one slot. {@code oversize}: its first batch may be larger than asked for. */
    private record ColdRead(FetchSlot slot, int bytesMax, boolean oversize, CompletableFuture<?> future) {
        /** For an owner elsewhere, and not there yet. */
        boolean isLateNear() {
            return slot.view().isNear() && !future.isDone();
        }
    }

    // ---- waiting

    void start() {
        guarded(() -> {
            slots.begin(this);
            slots.evaluateAll(this::evaluate);
            if (isDue() || nothingToWaitFor()) {
                read();
                return;
            }
            slots.park();
            slots.watchAll();
            slots.evaluateWoken(this::evaluateWoken);
            if (isDue()) {
                read();
            } else {
                schedule(remainingNanos(), this::read);
            }
        });
    }

    /** Some partitions advanced. */
    void woken() {
        if (state == State.WAITING) {
            guarded(() -> {
                slots.evaluateWoken(this::evaluateWoken);
                if (isDue()) {
                    read();
                }
            });
        }
    }

    /** Answers with what there is. */
    void finishNow() {
        if (state != State.DONE) {
            guarded(this::answer);
        }
    }

    /** The connection is gone: nothing is answered. */
    void drop() {
        if (state != State.DONE) {
            finish();
            slots.releaseRuns();
            afterAnswer.accept(null);
            request.respondNothing();
        }
    }

    private void evaluate(FetchSlot slot) {
        readyBytes -= slot.ready;
        slot.evaluate(services.lookup(), reader, minBytes);
        if (reader.isFromElsewhere() && slot.isServed()) {
            sendToItsZone(slot);
        }
        readyBytes += slot.ready;
        answerAtOnce |= slot.status == FetchSlot.Status.DIVERGED
                || slot.status == FetchSlot.Status.ELSEWHERE
                || (slot.status == FetchSlot.Status.ERROR && !isUnknown(slot.error));
    }

    private void sendToItsZone(FetchSlot slot) {
        int node = services.near()
                .nodeFor(
                        slot.view(),
                        reader.rack(),
                        request.listener(),
                        request.context().connectionId());
        if (node >= 0) {
            slot.sendTo(node);
        }
    }

    /** What changes for the worse while the request waits is told at once. */
    private void evaluateWoken(FetchSlot slot) {
        boolean wasWrong = slot.status == FetchSlot.Status.ERROR;
        evaluate(slot);
        answerAtOnce |= !wasWrong && slot.status == FetchSlot.Status.ERROR;
    }

    private boolean isDue() {
        return readyBytes >= minBytes || answerAtOnce || remainingNanos() <= 0;
    }

    /** Unknown partitions alone are no reason to answer at once, as in Kafka, unless there are no others. */
    private boolean nothingToWaitFor() {
        long unknown = slots.active().stream()
                .filter(slot -> slot.status == FetchSlot.Status.ERROR && isUnknown(slot.error))
                .count();
        return unknown == slots.size();
    }

    private static boolean isUnknown(Errors error) {
        return error == Errors.UNKNOWN_TOPIC_ID || error == Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }

    // ---- reading

    private void read() {
        if (state != State.WAITING) {
            return;
        }
        slots.evaluateWoken(this::evaluateWoken);
        if (reader.follows()) {
            answer();
            return;
        }
        state = State.READING;
        slots.unpark();
        cancelTimer();
        outstanding = 1;
        int left = bytesMax;
        int coldLeft = Math.min(bytesMax, services.settings().coldBytesMax());
        boolean first = true;
        for (FetchSlot slot : slots.active()) {
            if (slot.status != FetchSlot.Status.DATA || (left == 0 && !first)) {
                continue;
            }
            int max = Math.min(slot.bytesMax(), left);
            PartitionView view = slot.view();
            BatchRun tail = view.readTail(slot.offset(), max);
            if (tail != null && searches(slot, view)) {
                search(slot, view, CompletableFuture.completedFuture(tail), max, first);
                left = Math.max(0, left - max);
                first = false;
            } else if (tail != null) {
                int bytes = keep(slot, reader.readCommitted() ? BatchRuns.until(tail, slot.limit()) : tail, max, first);
                left = Math.max(0, left - bytes);
                first &= bytes == 0;
            } else if ((coldLeft > 0 || first) && coldReads.size() < COLD_READS_MAX) {
                int coldMax = services.reader().bytesAtMost(view.streamId(), slot.offset(), Math.min(max, coldLeft));
                readCold(slot, view, coldMax, first);
                coldLeft -= coldMax;
                left -= coldMax;
                first = false;
            }
        }
        if (--outstanding == 0) {
            allArrived();
        } else if (bytesRead > 0 && bytesRead >= minBytes) {
            giveGrace();
        } else if (coldReads.stream().anyMatch(ColdRead::isLateNear)) {
            schedule(Math.max(remainingNanos(), TimeUnit.MILLISECONDS.toNanos(NEAR_READ_MS)), this::sendBackAndAnswer);
        } else {
            schedule(
                    Math.max(
                            remainingNanos(),
                            TimeUnit.MILLISECONDS.toNanos(services.settings().coldWaitMs())),
                    this::answer);
        }
    }

    /** Takes over the run's reference. A first batch over the limit goes out only if it is the first of the response (KIP-74). */
    private int keep(FetchSlot slot, BatchRun run, int max, boolean oversize) {
        int bytes = run.payload().readableBytes();
        if (bytes == 0 || (bytes > max && !oversize)) {
            run.payload().release();
            return 0;
        }
        slot.answerWith(run);
        if (slot.view().isNear()) {
            services.near().answered(bytes);
        }
        bytesRead += bytes;
        return bytes;
    }

    private void readCold(FetchSlot slot, PartitionView view, int max, boolean oversize) {
        ReadClass as = view.isRecent(slot.offset()) ? ReadClass.TAIL : ReadClass.CATCH_UP;
        CompletionStage<BatchRun> stage = coldReads.isEmpty()
                ? services.reader().read(view.streamId(), slot.offset(), slot.limit(), Math.max(1, max), as)
                : services.reader().readIfRoom(view.streamId(), slot.offset(), slot.limit(), Math.max(1, max), as);
        if (searches(slot, view)) {
            search(slot, view, stage, max, oversize);
            return;
        }
        ColdRead read = new ColdRead(slot, max, oversize, stage.toCompletableFuture());
        coldReads.add(read);
        outstanding++;
        stage.whenComplete((run, failure) -> onLoop(read, run, failure));
    }

    /** Whether the partition remembers which transactions were aborted here. */
    private boolean searches(FetchSlot slot, PartitionView view) {
        return reader.readCommitted() && slot.offset() < view.abortedKnownFrom();
    }

    private void search(FetchSlot slot, PartitionView view, CompletionStage<BatchRun> run, int max, boolean oversize) {
        long limit = slot.limit();
        CompletableFuture<AbortedSearch.Searched> search =
                AbortedSearch.after(run, services.reader(), view, slot.offset(), limit);
        ColdRead read = new ColdRead(slot, max, oversize, search);
        coldReads.add(read);
        outstanding++;
        var unused = search.whenComplete((searched, failure) -> {
            if (searched != null) {
                slot.searched(searched);
                onLoop(read, BatchRuns.until(searched.run(), limit), null);
            } else {
                onLoop(read, null, failure);
            }
        });
    }

    private void onLoop(ColdRead read, @Nullable BatchRun run, @Nullable Throwable failure) {
        if (request.eventLoop().inEventLoop()) {
            arrived(read, run, failure);
            return;
        }
        try {
            request.eventLoop().execute(() -> arrived(read, run, failure));
        } catch (RejectedExecutionException stopping) {
            if (run != null) {
                run.payload().release();
            }
        }
    }

    private void arrived(ColdRead read, @Nullable BatchRun run, @Nullable Throwable failure) {
        if (state == State.DONE) {
            if (run != null) {
                run.payload().release();
            }
            return;
        }
        if (run != null) {
            keep(read.slot(), run, read.bytesMax(), read.oversize());
        } else {
            coldFailed = true;
            services.failures()
                    .report(
                            read.slot().partition.topicPartition(),
                            "reading offset " + read.slot().offset(),
                            failure);
            read.slot().failRead(ReadFailures.error(failure));
        }
        if (--outstanding == 0) {
            guarded(this::allArrived);
        } else if (state == State.READING && bytesRead > 0 && bytesRead >= minBytes) {
            giveGrace();
        }
    }

    private void allArrived() {
        if (bytesRead == 0 && coldFailed && remainingNanos() > 0) {
            state = State.HOLDING_BACK;
            schedule(remainingNanos(), this::answer);
        } else {
            answer();
        }
    }

    /** A consumer that gets no error stays here, and would ask for the same for ever. */
    private void sendBackAndAnswer() {
        for (ColdRead read : coldReads) {
            if (read.isLateNear()) {
                read.slot().failRead(Errors.NOT_LEADER_OR_FOLLOWER);
            }
        }
        answer();
    }

    /** There is enough to answer: the rest gets a short while. */
    private void giveGrace() {
        if (!graceGiven) {
            graceGiven = true;
            schedule(TimeUnit.MILLISECONDS.toNanos(services.settings().coldGraceMs()), this::answer);
        }
    }

    // ---- the answer

    private void answer() {
        if (state == State.DONE) {
            return;
        }
        finish();
        LinkedHashMap<TopicIdPartition, PartitionData> answers = new LinkedHashMap<>();
        for (FetchSlot slot : slots.active()) {
            if (!slot.removed) {
                answers.put(slot.partition, partitionAnswer(slot));
            }
        }
        int throttleMs = reader.follows()
                ? 0
                : services.quota().fetched(request, () -> context.getResponseSize(answers, version));
        if (throttleMs > 0) {
            withhold(throttleMs);
            return;
        }
        FetchResponse response = context.updateAndGenerateResponseData(answers, newLeaders());
        boolean refused = response.error() != Errors.NONE;
        for (FetchSlot slot : slots.active()) {
            if (refused || !answers.containsKey(slot.partition)) {
                slot.releaseRun();
            }
        }
        slots.answered();
        afterAnswer.accept(response);
        request.respond(response);
    }

    /** Over its limit the client gets an empty answer, and reads the same again afterwards, as in Kafka. */
    private void withhold(int throttleMs) {
        slots.withheld();
        FetchResponse response = context.getThrottledResponse(throttleMs, newLeaders());
        afterAnswer.accept(response);
        request.throttle(throttleMs);
        request.respond(response);
    }

    private List<Node> newLeaders() {
        Map<Integer, Node> known = leaders;
        return known == null ? List.of() : List.copyOf(known.values());
    }

    private PartitionData partitionAnswer(FetchSlot slot) {
        PartitionData data = slot.response(reader);
        boolean hint = slot.status == FetchSlot.Status.ERROR
                && version >= LEADER_HINT_VERSION
                && (slot.error == Errors.NOT_LEADER_OR_FOLLOWER || slot.error == Errors.FENCED_LEADER_EPOCH);
        if (hint) {
            Leader leader = services.lookup()
                    .leader(
                            slot.partition.topic(),
                            slot.partition.topicId(),
                            slot.partition.partition(),
                            request.listener());
            data.setCurrentLeader(new FetchResponseData.LeaderIdAndEpoch()
                    .setLeaderId(leader.nodeId())
                    .setLeaderEpoch(leader.epoch()));
            Node node = leader.endpoint();
            if (node != null) {
                Map<Integer, Node> known = leaders == null ? new LinkedHashMap<>() : leaders;
                known.put(node.id(), node);
                leaders = known;
            }
        }
        return data;
    }

    /** Ends waiting and reading, whatever the outcome. */
    private void finish() {
        state = State.DONE;
        cancelTimer();
        slots.end(this);
        for (ColdRead read : coldReads) {
            read.future().cancel(false);
        }
    }

    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            finish();
            slots.releaseRuns();
            afterAnswer.accept(null);
            request.fail(e);
        }
    }

    // ---- time

    private long remainingNanos() {
        return deadlineNanos - request.eventLoop().ticker().nanoTime();
    }

    private void schedule(long delayNanos, Runnable step) {
        cancelTimer();
        timer = request.eventLoop().schedule(() -> guarded(step), Math.max(0, delayNanos), TimeUnit.NANOSECONDS);
    }

    private void cancelTimer() {
        ScheduledFuture<?> scheduled = timer;
        if (scheduled != null) {
            scheduled.cancel(false);
            timer = null;
        }
    }
}
