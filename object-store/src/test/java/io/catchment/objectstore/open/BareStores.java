package io.catchment.objectstore.open;

import io.catchment.objectstore.ObjectStore;
import java.util.Map;

/** Lets tests of other packages open a store without the retries around it. */
public final class BareStores {
    private BareStores() {}

    public static ObjectStore open(String uri) {
        return ObjectStores.bare(uri, Map.of());
    }
}
