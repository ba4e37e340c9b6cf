package io.catchment.broker.verify;

import io.catchment.broker.observe.HttpRoute;
import io.catchment.broker.observe.HttpRoute.Answer;
import io.catchment.broker.observe.HttpServer;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code POST /verify-store[?delete=true]}: 200 with a report when the store and the catalog agree, 409 with a report when they do not, 503
 * when that cannot be known now, 429 while another one is under way on this node. Thread-safe.
 */
public final class VerifyRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(VerifyRoutes.class);
    private static final long PAUSE_MS = 1_000;
    private static final int SHOWN_MAX = 1_000;
    /** The HTTP server ends a connection on which nothing happens for a minute. */
    private static final long ANSWER_MS = 50_000;

    private final StoreVerification verification;
    private final AtomicBoolean underWay = new AtomicBoolean();

    VerifyRoutes(StoreVerification verification) {
        this.verification = verification;
    }

    /** @param executor where large catalogs are compared, which takes a second for a million objects */
    public static void add(HttpServer http, ControlPlane controlPlane, ObjectStore store, Executor executor) {
        VerifyRoutes routes = new VerifyRoutes(new StoreVerification(
                controlPlane::image, controlPlane::barrier, store, executor, PAUSE_MS, SHOWN_MAX));
        http.route("/verify-store", routes::verify);
    }

    CompletionStage<Answer> verify(HttpRoute.Call call) {
        if (!call.method().equals("POST")) {
            return CompletableFuture.completedFuture(Answer.text(405, "Only POST.\n"));
        }
        List<String> delete = call.query().getOrDefault("delete", List.of("false"));
        if (!delete.equals(List.of("true")) && !delete.equals(List.of("false"))) {
            return CompletableFuture.completedFuture(Answer.text(400, "delete is true or false.\n"));
        }
        if (!underWay.compareAndSet(false, true)) {
            return CompletableFuture.completedFuture(
                    Answer.text(429, "A verification is under way on this node: ask again when it is done.\n"));
        }
        return started(delete.equals(List.of("true")))
                .whenComplete(this::ended)
                .handle(VerifyRoutes::answer)
                .thenCompose(answer -> answer)
                .toCompletableFuture()
                .completeOnTimeout(
                        Answer.text(
                                503,
                                "Not done within " + ANSWER_MS / 1000
                                        + " s and still under way: the log will say how it ended.\n"),
                        ANSWER_MS,
                        TimeUnit.MILLISECONDS);
    }

    private CompletionStage<StoreReport> started(boolean deleteOrphans) {
        try {
            return verification.verify(deleteOrphans);
        } catch (RuntimeException closing) {
            return CompletableFuture.failedFuture(closing);
        }
    }

    private void ended(@Nullable StoreReport report, @Nullable Throwable failure) {
        underWay.set(false);
        if (report == null) {
            LOG.warn(
                    "The object store could not be verified: {}", cause(failure).toString());
        } else if (report.clean()) {
            LOG.info("The object store holds what the catalog says: {}", summary(report));
        } else {
            LOG.warn("The object store does not hold what the catalog says: {}", summary(report));
        }
    }

    private static String summary(StoreReport report) {
        return report.published().objects() + " published, " + report.listed().objects() + " listed, "
                + report.missing().total() + " missing, " + report.wrongSize().total() + " of wrong size, "
                + report.orphans().total() + " orphans (" + report.deletedOrphans() + " deleted), "
                + report.dangling().total() + " dangling references, "
                + report.foreign().total() + " foreign";
    }

    /** A failure that is neither the store's nor the controllers' is a fault of this program, and goes on as one. */
    private static CompletionStage<Answer> answer(@Nullable StoreReport report, @Nullable Throwable failure) {
        if (report != null) {
            return CompletableFuture.completedFuture(Answer.json(report.clean() ? 200 : 409, ReportJson.of(report)));
        }
        Throwable cause = cause(failure);
        if (cause instanceof ObjectStoreException) {
            return unavailable("The object store does not answer: " + cause.getMessage());
        }
        if (cause instanceof CommandException) {
            return unavailable("The controllers do not answer: " + cause.getMessage());
        }
        return CompletableFuture.failedFuture(cause);
    }

    private static Throwable cause(@Nullable Throwable failure) {
        if (failure instanceof CompletionException && failure.getCause() != null) {
            return failure.getCause();
        }
        return failure != null ? failure : new IllegalStateException("neither a report nor a failure");
    }

    private static CompletionStage<Answer> unavailable(String why) {
        return CompletableFuture.completedFuture(Answer.text(503, why + "\n"));
    }
}
