package io.catchment.objectstore.testing;

import io.catchment.objectstore.BundleBuilder.Built;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectReader.Location;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.bundle.BundleWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A bundle of random ranges, written to a store, with what is expected of it. */
public final class RandomBundle {
    /** @param at where in {@code bytes} of its range it begins */
    public record Payload(long baseOffset, long endOffset, long eventTimeMs, int at, int length) {}

    public record Range(Location location, byte[] bytes, List<Payload> payloads) {}

    public record Checkpoint(long streamId, long offset, byte[] bytes) {}

    public final long objectId;
    public final int objectBytes;
    public final List<Range> ranges = new ArrayList<>();
    public final List<Checkpoint> checkpoints = new ArrayList<>();
    public final Built built;

    /** @param bytesWanted of all payloads, about */
    public RandomBundle(ObjectStore store, long objectId, Random random, int streams, int bytesWanted) {
        this.objectId = objectId;
        List<List<Payload>> payloads = new ArrayList<>();
        List<byte[]> contents = new ArrayList<>();
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            for (int stream = 0; stream < streams; stream++) {
                writer.stream(1000 + stream * 7L);
                long offset = random.nextInt(1 << 20);
                int ranges = 1 + (random.nextInt(10) == 0 ? 1 : 0);
                for (int r = 0; r < ranges; r++) {
                    List<Payload> ofRange = new ArrayList<>();
                    contents.add(fill(writer, random, offset, bytesWanted / streams / ranges, ofRange));
                    payloads.add(ofRange);
                    offset = ofRange.get(ofRange.size() - 1).endOffset() + 1 + random.nextInt(5);
                }
                for (int c = random.nextInt(3); c > 0; c--) {
                    byte[] bytes = new byte[1 + random.nextInt(40_000)];
                    random.nextBytes(bytes);
                    writer.checkpoint(
                            offset, ByteBufAllocator.DEFAULT.directBuffer().writeBytes(bytes));
                    checkpoints.add(new Checkpoint(1000 + stream * 7L, offset, bytes));
                }
            }
            built = writer.build();
        }
        objectBytes = built.body().readableBytes();
        for (int i = 0; i < payloads.size(); i++) {
            BuiltRange range = built.ranges().get(i);
            ranges.add(new Range(
                    new Location(
                            objectId,
                            objectBytes,
                            range.streamId(),
                            range.baseOffset(),
                            range.endOffset(),
                            range.position(),
                            range.length()),
                    contents.get(i),
                    payloads.get(i)));
        }
        store.put(ObjectKeys.key(objectId), built.body()).toCompletableFuture().join();
    }

    private static byte[] fill(
            BundleWriter writer, Random random, long baseOffset, int bytesWanted, List<Payload> payloads) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        long offset = baseOffset;
        do {
            int length =
                    switch (random.nextInt(8)) {
                        case 0 -> 1 + random.nextInt(300_000);
                        case 1, 2 -> 1 + random.nextInt(40_000);
                        default -> 1 + random.nextInt(2_000);
                    };
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            long end = offset + 1L + random.nextInt(100);
            long eventTimeMs = 1_000_000L + random.nextInt(100_000);
            payloads.add(new Payload(offset, end, eventTimeMs, all.size(), length));
            all.writeBytes(bytes);
            writer.payload(offset, end, eventTimeMs, 5_000_000 + offset, buffer(bytes, random));
            offset = end;
        } while (all.size() < bytesWanted);
        return all.toByteArray();
    }

    /** In one piece, as a slice of something larger, or composite. */
    private static ByteBuf buffer(byte[] bytes, Random random) {
        ByteBufAllocator allocator = ByteBufAllocator.DEFAULT;
        int kind = random.nextInt(3);
        if (kind == 0) {
            return allocator.directBuffer(bytes.length).writeBytes(bytes);
        }
        if (kind == 1) {
            ByteBuf larger = allocator
                    .directBuffer(bytes.length + 20)
                    .writeZero(10)
                    .writeBytes(bytes)
                    .writeZero(10);
            return larger.slice(10, bytes.length);
        }
        int cut = random.nextInt(bytes.length);
        CompositeByteBuf composite = allocator.compositeBuffer();
        composite.addComponent(true, allocator.directBuffer(cut + 1).writeBytes(bytes, 0, cut));
        return composite.addComponent(
                true, allocator.heapBuffer(bytes.length - cut).writeBytes(bytes, cut, bytes.length - cut));
    }
}
