package io.catchment.objectstore.transfer;

/**
 * Bounds of all transfers of a node.
 *
 * @param places transfers under way at a time, of each direction; with fewer than {@value #PLACES_MIN} the classes that share one would keep
 *     each other from their least shares
 * @param upBytesPerSecond to the store, on average; 0: no bound
 * @param downBytesPerSecond from the store, on average; 0: no bound
 * @param queueMax of each class and direction that wait; more fail at once with TRANSIENT
 */
public record TransferSettings(int places, long upBytesPerSecond, long downBytesPerSecond, int queueMax) {
    public static final int PLACES_MIN = 4;

    public static final TransferSettings DEFAULT = new TransferSettings(8, 0, 0, 1024);

    public TransferSettings {
        if (places < 1 || upBytesPerSecond < 0 || downBytesPerSecond < 0 || queueMax < 1) {
            throw new IllegalArgumentException("transfer settings out of range");
        }
    }
}
