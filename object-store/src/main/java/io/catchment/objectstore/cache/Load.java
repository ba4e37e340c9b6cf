package io.catchment.objectstore.cache;

import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.bundle.BundleFooter;

/**
 * One request to the store: consecutive blocks of one object.
 *
 * @param attempt 1 for the first try of these blocks
 * @param as who asked for them
 * @param ahead nobody had asked for them yet
 */
record Load(long objectId, BundleFooter footer, int firstBlock, int count, int attempt, ReadClass as, boolean ahead) {

    long bytes() {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += footer.blockBytes(firstBlock + i);
        }
        return bytes;
    }

    BlockKey key(int i) {
        return new BlockKey(objectId, firstBlock + i);
    }

    Load again(int i) {
        return new Load(objectId, footer, firstBlock + i, 1, attempt + 1, as, ahead);
    }

    Load atTheTail() {
        return new Load(objectId, footer, firstBlock, count, attempt, ReadClass.TAIL, ahead);
    }
}
