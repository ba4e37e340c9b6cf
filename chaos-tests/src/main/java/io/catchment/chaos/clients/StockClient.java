package io.catchment.chaos.clients;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A client library, used through a program of its own process. */
interface StockClient {
    String name();

    /** Codecs it can write, and read. */
    Set<String> codecs();

    /** Whether it writes any bytes, headers and times; if not, text only. */
    boolean writesAnything();

    /** What a client answered about a record: an offset, or a code of the protocol. */
    record Answer(long offset, int error) {}

    /** One group of records, written in a transaction or, with {@code Ending.NONE}, without. */
    record Portion(List<Line> lines, Ending ending) {
        public Portion {
            lines = List.copyOf(lines);
        }
    }

    enum Ending {
        NONE,
        COMMIT,
        ABORT
    }

    /** Answers in the order of the records; empty if the program does not tell them. */
    List<Answer> produce(String bootstrap, String topic, String codec, List<Portion> portions)
            throws IOException, InterruptedException;

    /**
     * All records of topics that end, in each partition, with a record of value END (which is left out).
     *
     * @return by topic, each with its offset
     */
    Map<String, List<Read>> read(String bootstrap, boolean committed, List<String> topics)
            throws IOException, InterruptedException;

    /** What it can show of a record. */
    default Line shown(Line line) {
        return line;
    }

    record Read(long offset, Line line) {}

    /** A member of a group, which goes on until it is closed. A killed one is missed after six seconds. */
    GroupMember join(String bootstrap, String group, String topic) throws IOException;
}
