package io.catchment.broker.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.file.DirectoryStore;
import io.catchment.objectstore.manifest.ManifestCodec;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** One node's catalog by the control plane's real rules, and a bucket in a directory. Used by one thread at a time. */
final class CatalogWorld implements AutoCloseable {
    static final int NODE = 1;
    private static final int RANGE_OFFSETS = 10;

    final RulesControlPlane control = new RulesControlPlane();
    final WatchedStore store;
    private final long epoch = control.register(NODE);

    CatalogWorld(Path directory) {
        // A step that a test does after a listing may run on the store's thread that listed, and waits for another one.
        store = new WatchedStore(new DirectoryStore(directory, 2, UnpooledByteBufAllocator.DEFAULT));
    }

    long topic(String name) {
        control.now(new Command.CreateTopics(List.of(new Command.CreateTopic(name, 1, (short) 1, Map.of())), false));
        return control.image().topic(name).orElseThrow().streams().get(0);
    }

    /** Its objects are doomed then. */
    void deleteTopic(String name) {
        control.now(new Command.DeleteTopics(
                List.of(control.image().topic(name).orElseThrow().topicId())));
    }

    /** An id for an upload that has not begun. */
    long prepared() {
        return control.now(new Command.PrepareObjects(NODE, epoch, 1, 3_600_000))
                .get(0);
    }

    /** The stream's next offsets and a checkpoint are in the object, says the catalog. */
    void publish(long objectId, long stream, long bytes) {
        long base = control.image().stream(stream).orElseThrow().catalogEndOffset();
        publish(objectId, stream, bytes, List.of(new Command.NewCheckpoint(stream, base + RANGE_OFFSETS, 50, 10)));
    }

    private void publish(long objectId, long stream, long bytes, List<Command.NewCheckpoint> checkpoints) {
        ExtentState extent = control.now(new Command.CreateExtent(NODE, epoch, 1));
        control.now(new Command.SealExtent(
                extent.extentId(), epoch, 100, List.of(extent.ensemble().get(0))));
        long base = control.image().stream(stream).orElseThrow().catalogEndOffset();
        control.now(new Command.PublishFlush(
                NODE,
                epoch,
                extent.extentId(),
                objectId,
                bytes,
                List.of(new Command.NewRange(stream, base, base + RANGE_OFFSETS, 0, 50, 1, 1)),
                checkpoints));
    }

    /** As a flush does it: prepared, uploaded, published. */
    long flushed(long stream, int bytes) {
        long id = prepared();
        store.put(id, bytes);
        publish(id, stream, bytes);
        return id;
    }

    /** An object that holds the stream's next offsets and nothing else. */
    long alone(long stream, int bytes) {
        long id = prepared();
        store.put(id, bytes);
        publish(id, stream, bytes, List.of());
        return id;
    }

    /** The first ranges of the stream's catalog move to a manifest. */
    long manifest(long stream, int count) {
        List<OwnedRange> owned = control.image().stream(stream).orElseThrow().catalog().subList(0, count).stream()
                .map(range -> new OwnedRange(
                        range,
                        control.image().object(range.objectId()).orElseThrow().bytes()))
                .toList();
        ByteBuf body = ManifestCodec.write(
                UnpooledByteBufAllocator.DEFAULT,
                new Manifest(
                        stream,
                        owned.stream()
                                .map(each -> new Manifest.Entry(
                                        each.range().baseOffset(),
                                        each.range().endOffset(),
                                        each.range().objectId(),
                                        each.objectBytes(),
                                        each.range().position(),
                                        each.range().length(),
                                        each.range().maxEventTimeMs(),
                                        each.range().maxAppendTimeMs()))
                                .toList()));
        long id = prepared();
        long bytes = body.readableBytes();
        store.manifests.add(ObjectKeys.key(id));
        store.put(ObjectKeys.key(id), ByteBufUtil.getBytes(body));
        body.release();
        control.now(
                new Command.PublishManifest(NODE, epoch, stream, id, bytes, Command.PublishManifest.NO_OBJECT, owned));
        assertThat(control.image().stream(stream).orElseThrow().manifests()).isNotEmpty();
        return id;
    }

    void trim(long stream, long logStartOffset) {
        control.now(new Command.OpenStreams(NODE, epoch, List.of(new Command.Claim(stream, 1_000))));
        control.now(new Command.TrimStreams(NODE, epoch, List.of(new Command.Trim(stream, logStartOffset))));
    }

    /** Doomed ones are deleted and forgotten, in this order. */
    void reap(long objectId) {
        store.remove(objectId);
        forget(objectId);
    }

    void forget(long objectId) {
        control.now(new Command.ForgetObjects(List.of(objectId)));
    }

    /** An object under an id that was given out once and is forgotten. */
    String orphan(int bytes) {
        long stream = topic("short-lived");
        long id = flushed(stream, bytes);
        deleteTopic("short-lived");
        forget(id);
        return ObjectKeys.key(id);
    }

    StoreVerification verification(int shownMax) {
        return new StoreVerification(control::image, control::barrier, store, Runnable::run, 0, shownMax);
    }

    @Override
    public void close() {
        store.close();
    }
}
