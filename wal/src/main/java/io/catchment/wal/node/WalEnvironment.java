package io.catchment.wal.node;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.loop.Loops;
import io.catchment.wal.recovery.LengthRule;
import io.netty.buffer.ByteBufAllocator;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.zip.Checksum;

/**
 * What a WAL touches of the world, so that a simulation can replace it.
 *
 * @param checksums of frames: CRC32C
 * @param allocator of the buffers that reads and loads hand out
 * @param random for the jitter of retries only
 * @param ids for the identity of an empty directory
 * @param rule of recovery: {@link LengthRule#LONGEST}
 */
public record WalEnvironment(
        Disk disk,
        Loops loops,
        Supplier<Checksum> checksums,
        ByteBufAllocator allocator,
        RandomGenerator random,
        Supplier<UUID> ids,
        LengthRule rule) {

    /** With the rule of the design. */
    public WalEnvironment(
            Disk disk,
            Loops loops,
            Supplier<Checksum> checksums,
            ByteBufAllocator allocator,
            RandomGenerator random,
            Supplier<UUID> ids) {
        this(disk, loops, checksums, allocator, random, ids, LengthRule.LONGEST);
    }
}
