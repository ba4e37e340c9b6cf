package io.catchment.broker.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.observe.HttpRoute.Answer;
import io.catchment.broker.observe.HttpRoute.Call;
import io.catchment.controlplane.CommandException;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The answers of {@code /verify-store}. */
class VerifyRoutesTest {
    @TempDir
    Path directory;

    private CatalogWorld world;
    private VerifyRoutes routes;
    private CompletableFuture<Void> barrier = CompletableFuture.completedFuture(null);

    @BeforeEach
    void start() {
        world = new CatalogWorld(directory);
        routes = new VerifyRoutes(
                new StoreVerification(world.control::image, () -> barrier, world.store, Runnable::run, 0, 10));
    }

    @AfterEach
    void stop() {
        world.close();
    }

    private CompletableFuture<Answer> ask(String method, Map<String, List<String>> query) {
        return routes.verify(new Call(method, "/verify-store", query, new byte[0]))
                .toCompletableFuture();
    }

    private Answer post(Map<String, List<String>> query) throws Exception {
        return ask("POST", query).get(30, TimeUnit.SECONDS);
    }

    private static String text(Answer answer) {
        return new String(answer.body(), UTF_8);
    }

    @Test
    void agreementIs200AndTheWholeReport() throws Exception {
        world.flushed(world.topic("kept"), 100);
        Answer answer = post(Map.of());
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.contentType()).isEqualTo("application/json");
        assertThat(text(answer))
                .isEqualTo("{\n\"clean\":true,\n\"publishedObjects\":1,\n\"publishedBytes\":100,\n"
                        + "\"listedObjects\":1,\n\"listedBytes\":100,\n\"pendingObjects\":0,\n\"doomedObjects\":0,\n"
                        + "\"missingTotal\":0,\n\"wrongSizeTotal\":0,\n\"orphansTotal\":0,\n\"orphansUnissued\":0,\n"
                        + "\"orphansDeleted\":0,\n\"danglingTotal\":0,\n\"foreignTotal\":0,\n"
                        + "\"missing\":[],\n\"wrongSize\":[],\n\"orphans\":[],\n\"dangling\":[],\n\"foreign\":[]\n}\n");
    }

    @Test
    void whatIsWrongIs409AndNamed() throws Exception {
        long stream = world.topic("kept");
        long first = world.flushed(stream, 100);
        long second = world.flushed(stream, 100);
        world.store.remove(first);
        world.store.put(second, 7);
        world.store.put("objects/a\"b", 1);
        Answer answer = post(Map.of());
        assertThat(answer.status()).isEqualTo(409);
        assertThat(text(answer))
                .contains("\"missingTotal\":1,")
                .contains("\"missing\":[\n{\"key\":\"" + ObjectKeys.key(first) + "\",\"bytes\":100}],")
                .contains("{\"key\":\"" + ObjectKeys.key(second) + "\",\"catalogBytes\":100,\"storeBytes\":7}")
                .contains("\"foreign\":[\n{\"key\":\"objects/a\\\"b\",\"bytes\":1}]");
    }

    @Test
    void orphansGoOnlyWhenThatIsAsked() throws Exception {
        String orphan = world.orphan(70);
        assertThat(post(Map.of("delete", List.of("false"))).status()).isEqualTo(409);
        assertThat(world.store.keys()).containsExactly(orphan);
        Answer answer = post(Map.of("delete", List.of("true")));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(text(answer)).contains("\"orphansDeleted\":1,");
        assertThat(world.store.keys()).isEmpty();
    }

    @Test
    void anotherMethodOrAnotherWordIsRefused() throws Exception {
        assertThat(ask("GET", Map.of()).get().status()).isEqualTo(405);
        assertThat(post(Map.of("delete", List.of("yes"))).status()).isEqualTo(400);
        assertThat(world.store.listings).isZero();
    }

    @Test
    void oneAtATime() throws Exception {
        barrier = new CompletableFuture<>();
        CompletableFuture<Answer> first = ask("POST", Map.of());
        assertThat(post(Map.of()).status()).isEqualTo(429);
        assertThat(first).isNotDone();
        barrier.complete(null);
        assertThat(first.get(30, TimeUnit.SECONDS).status()).isEqualTo(200);
        assertThat(post(Map.of()).status()).isEqualTo(200);
    }

    @Test
    void aStoreOrControllersThatDoNotAnswerAre503AndCanBeAskedAgain() throws Exception {
        world.store.failure = new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "injected", null);
        Answer answer = post(Map.of());
        assertThat(answer.status()).isEqualTo(503);
        assertThat(text(answer)).isEqualTo("The object store does not answer: injected\n");
        world.store.failure = null;
        barrier = CompletableFuture.failedFuture(new CommandException(CommandException.Reason.UNAVAILABLE, "injected"));
        answer = post(Map.of());
        assertThat(answer.status()).isEqualTo(503);
        assertThat(text(answer)).isEqualTo("The controllers do not answer: injected\n");
        barrier = CompletableFuture.completedFuture(null);
        assertThat(post(Map.of()).status()).isEqualTo(200);
    }

    @Test
    void aFaultOfOurOwnIsOne() {
        barrier = CompletableFuture.failedFuture(new IllegalStateException("injected"));
        assertThatThrownBy(() -> post(Map.of())).cause().isInstanceOf(IllegalStateException.class);
    }
}
