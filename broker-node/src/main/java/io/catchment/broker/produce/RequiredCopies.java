package io.catchment.broker.produce;

import java.util.function.IntSupplier;
import java.util.function.ToIntFunction;

/**
 * min.insync.replicas: on how many nodes the extents that are begun now must be able to lie for {@code acks=all} to be taken. How many of
 * them have synced a record when it is acknowledged is the WAL's quorum, whatever the topic asks for.
 *
 * @param required by a topic's name
 * @param possible now; negative while that is not known
 */
public record RequiredCopies(ToIntFunction<String> required, IntSupplier possible) {

    boolean suffice(String topic) {
        int copies = possible.getAsInt();
        return copies < 0 || required.applyAsInt(topic) <= copies;
    }
}
