package io.catchment.objectstore.s3;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.DeleteObjectsRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Error;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/**
 * Thread-safe. Objects in a bucket by way of the SDK's CRT client, which is built on the first request, on a thread of its own. Bodies are
 * handed over as they lie in memory and stay referenced until the client is done with them, also when nobody waits for the answer any more.
 */
public final class S3Store implements ObjectStore {
    /** Above it the client would use a multipart upload, whose completion no server tried does conditionally in an atomic way. */
    static final int IF_ABSENT_BYTES_MAX = 4 << 20;

    private static final int DELETE_KEYS_MAX = 1000;

    private final S3Settings settings;
    private final ByteBufAllocator allocator;
    private final S3Connection connection;

    public S3Store(S3Settings settings, ByteBufAllocator allocator) {
        this.settings = settings;
        this.allocator = allocator;
        this.connection = new S3Connection(settings);
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        return put(key, body, request -> {});
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        if (body.readableBytes() > IF_ABSENT_BYTES_MAX) {
            int bytes = body.readableBytes();
            body.release();
            throw new IllegalArgumentException(
                    "create-only objects have at most " + IF_ABSENT_BYTES_MAX + " bytes, not " + bytes);
        }
        return put(key, body, request -> request.ifNoneMatch("*"));
    }

    /** In parts: each of them, the beginning and the completion. */
    @Override
    public int requestsOfPut(long bytes) {
        return bytes < settings.multipartBytes()
                ? 1
                : 2 + (int) ((bytes + settings.partBytes() - 1) / settings.partBytes());
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        String name = name(key);
        if (length == 0) {
            HeadObjectRequest head = HeadObjectRequest.builder()
                    .bucket(settings.bucket())
                    .key(name)
                    .build();
            return run("get " + key, client -> client.headObject(head).thenApply(found -> allocator.directBuffer(0)));
        }
        GetObjectRequest request = GetObjectRequest.builder()
                .bucket(settings.bucket())
                .key(name)
                .range("bytes=" + position + "-" + (position + length - 1))
                .build();
        return run(
                "get " + key, client -> client.getObject(request, new RangeCollector("get " + key, length, allocator)));
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        List<ObjectIdentifier> names = keys.stream()
                .map(key -> ObjectIdentifier.builder().key(name(key)).build())
                .toList();
        CompletionStage<Void> done = CompletableFuture.completedFuture(null);
        for (int from = 0; from < names.size(); from += DELETE_KEYS_MAX) {
            List<ObjectIdentifier> some = names.subList(from, Math.min(names.size(), from + DELETE_KEYS_MAX));
            DeleteObjectsRequest request = DeleteObjectsRequest.builder()
                    .bucket(settings.bucket())
                    .delete(delete -> delete.objects(some).quiet(true))
                    .build();
            done = done.thenCompose(
                    nothing -> run("delete of " + some.size() + " objects", client -> client.deleteObjects(request)
                            .thenAccept(S3Store::requireDeleted)));
        }
        return done;
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        ListObjectsV2Request request = ListObjectsV2Request.builder()
                .bucket(settings.bucket())
                .prefix(settings.prefix() + prefix)
                .build();
        return listFrom(request, new ArrayList<>());
    }

    /** After the requests under way: see {@link S3Connection}. */
    @Override
    public void close() {
        connection.close();
    }

    private PutObjectRequest.Builder request(String key) {
        PutObjectRequest.Builder request =
                PutObjectRequest.builder().bucket(settings.bucket()).key(name(key));
        switch (settings.sse()) {
            case NONE -> {}
            case S3 -> request.serverSideEncryption(ServerSideEncryption.AES256);
            case KMS ->
                request.serverSideEncryption(ServerSideEncryption.AWS_KMS).ssekmsKeyId(settings.kmsKeyId());
        }
        return request;
    }

    private CompletionStage<Void> put(String key, ByteBuf body, Consumer<PutObjectRequest.Builder> condition) {
        PutObjectRequest request;
        try {
            PutObjectRequest.Builder builder = request(key).applyMutation(condition);
            if (requestsOfPut(body.readableBytes()) == 1) {
                builder.checksumCRC32C(BodyChecksum.crc32c(body));
            }
            request = builder.build();
        } catch (IllegalArgumentException badKey) {
            body.release();
            throw badKey;
        }
        return connection.run(
                "put " + key,
                false,
                client -> client.putObject(request, AsyncRequestBody.fromByteBuffersUnsafe(body.nioBuffers()))
                        .thenAccept(answer -> {}),
                body::release,
                nothing -> {});
    }

    private CompletionStage<List<Listed>> listFrom(ListObjectsV2Request request, List<Listed> found) {
        return run("list " + request.prefix(), client -> client.listObjectsV2(request))
                .thenCompose(page -> {
                    int skip = settings.prefix().length();
                    page.contents()
                            .forEach(object -> found.add(new Listed(object.key().substring(skip), object.size())));
                    if (!Boolean.TRUE.equals(page.isTruncated())) {
                        return CompletableFuture.completedFuture(found);
                    }
                    return listFrom(
                            request.toBuilder()
                                    .continuationToken(page.nextContinuationToken())
                                    .build(),
                            found);
                });
    }

    private <T> CompletionStage<T> run(String what, Function<S3AsyncClient, CompletableFuture<T>> work) {
        return connection.run(what, true, work, () -> {}, late -> {
            if (late instanceof ByteBuf buffer) {
                buffer.release();
            }
        });
    }

    private String name(String key) {
        return settings.prefix() + ObjectKeys.check(key);
    }

    private static void requireDeleted(DeleteObjectsResponse answer) {
        if (answer.hasErrors() && !answer.errors().isEmpty()) {
            S3Error first = answer.errors().get(0);
            if (!"NoSuchKey".equals(first.code())) {
                throw new ObjectStoreException(
                        "AccessDenied".equals(first.code()) ? Reason.REFUSED : S3Failures.reason(503, first.code()),
                        "delete of " + first.key() + ": " + first.code() + " " + first.message(),
                        null);
            }
        }
    }
}
