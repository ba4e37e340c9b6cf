package io.catchment.wal.remote;

import java.util.Optional;

/** Kinds of messages; what each carries is in the README. The ids are sent: never reuse one. */
enum MessageType {
    HELLO(1),
    WELCOME(2),
    CREATE(10),
    APPEND(11),
    ACKNOWLEDGED(12),
    FINISH(13),
    SETTLE(14),
    DISCARD(15),
    FENCE(20),
    FETCH(21),
    COPY(22),
    LENGTH(30),
    STREAMS(31),
    INDEX(32),
    FLOOR(33),
    READ(34),
    PAYLOAD(35),
    DONE(40),
    APPENDED(41),
    NUMBER(42),
    BYTES(43),
    FRAMES(44),
    ENTRIES(45),
    FAILED(46);

    private static final MessageType[] BY_ID = byId();

    private final int id;

    MessageType(int id) {
        this.id = id;
    }

    private static MessageType[] byId() {
        MessageType[] types = new MessageType[64];
        for (MessageType type : values()) {
            types[type.id] = type;
        }
        return types;
    }

    int id() {
        return id;
    }

    static Optional<MessageType> of(int id) {
        return id >= 0 && id < BY_ID.length ? Optional.ofNullable(BY_ID[id]) : Optional.empty();
    }
}
