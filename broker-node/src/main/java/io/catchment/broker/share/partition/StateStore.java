package io.catchment.broker.share.partition;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.server.share.persister.PersisterStateBatch;

/** Where the state of one share partition is kept. Stages may complete on any thread, and fail with Kafka's ApiException. */
public interface StateStore {

    /** @param startOffset -1 when the group has not begun with the partition */
    record Stored(int stateEpoch, long startOffset, List<PersisterStateBatch> batches) {
        public Stored {
            batches = List.copyOf(batches);
        }
    }

    /** @param doneCount records from the start offset on that are done with */
    record Write(int stateEpoch, int leaderEpoch, long startOffset, int doneCount, List<PersisterStateBatch> batches) {
        public Write {
            batches = List.copyOf(batches);
        }
    }

    /** From now on who reads or writes with a lower leader epoch is refused. */
    CompletionStage<Stored> read(int leaderEpoch);

    CompletionStage<Void> write(Write write);
}
