package io.catchment.broker.transaction;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;

/** What the coordinator knows of one transactional id. Owned by the coordinator's thread. */
final class Transaction {
    private static final int WAITING_MAX = 1_000;

    private final TransactionMetadata state;
    private List<Runnable> waiting = new ArrayList<>(0);

    Transaction(TransactionMetadata state) {
        this.state = state;
    }

    TransactionMetadata state() {
        return state;
    }

    /** The step runs once the transition under way is over; false when too many wait. */
    boolean afterTransition(Runnable step) {
        return waiting.size() < WAITING_MAX && waiting.add(step);
    }

    void transitionOver() {
        List<Runnable> steps = waiting;
        waiting = new ArrayList<>(0);
        steps.forEach(Runnable::run);
    }
}
