package io.catchment.chaos.storefault;

import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Owned by its connection's event loop. One request and its answer. */
final class Exchange {
    final RequestKind kind;
    final @Nullable Fault fault;
    final @Nullable Trap trap;
    final boolean keepAlive;
    final boolean head;
    /** The store's answer is not read before. */
    final long answerDueNanos;

    private final long requestBytes;
    private long answerBytes = -1;
    private long up;
    private long down;
    private boolean corrupted;
    boolean requestEnded;
    boolean answerBegun;
    /** Else an error of the store, which is passed on as it is. */
    boolean answerOk;

    Exchange(HttpRequest request, RequestKind kind, @Nullable Fault fault, @Nullable Trap trap) {
        this.kind = kind;
        this.fault = fault;
        this.trap = trap;
        this.keepAlive = HttpUtil.isKeepAlive(request);
        this.head = request.method().name().equals("HEAD");
        long delayMs = fault instanceof Fault.Delay delay ? delay.ms() : 0;
        this.answerDueNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMs);
        this.requestBytes = HttpUtil.getContentLength(request, 0L);
    }

    boolean trapAt(Trap.Moment moment) {
        return trap != null && trap.moment() == moment && !trap.sprung();
    }

    boolean resetAt(Fault.Reset.Where where) {
        return fault instanceof Fault.Reset reset && reset.where() == where;
    }

    /** The request never gets to the store. */
    boolean swallowed() {
        return fault instanceof Fault.Answer || fault instanceof Fault.Silence;
    }

    void answerOf(long bytes, boolean ok) {
        answerBytes = bytes;
        answerOk = ok;
        answerBegun = true;
    }

    void up(int bytes) {
        up += bytes;
    }

    void down(int bytes) {
        down += bytes;
    }

    boolean halfUp() {
        return up >= requestBytes / 2;
    }

    boolean halfDown() {
        return answerBytes >= 0 && down >= answerBytes / 2;
    }

    /** True once. */
    boolean corruptNow() {
        boolean now = !corrupted;
        corrupted = true;
        return now;
    }
}
