package io.catchment.wal.remote;

import io.catchment.wal.Lane;
import java.util.Optional;

/** What a connection is for: each has its own, so that bulk never delays urgent. The ids are sent: never reuse one. */
public enum Traffic {
    URGENT(0),
    NORMAL(1),
    BULK(2),
    RECOVERY(3),
    READ(4);

    private final int id;

    Traffic(int id) {
        this.id = id;
    }

    int id() {
        return id;
    }

    static Optional<Traffic> of(int id) {
        return id >= 0 && id < values().length ? Optional.of(values()[id]) : Optional.empty();
    }

    public static Traffic of(Lane lane) {
        return switch (lane) {
            case URGENT -> URGENT;
            case NORMAL -> NORMAL;
            case BULK -> BULK;
        };
    }
}
