package io.catchment.chaos.nodes;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation.Kind;
import java.util.Set;

/** Follows the ledger in a zone, on a thread of its own until {@link #end}; the ledger is the caller's from then on. */
final class BankReader extends Thread implements AutoCloseable {
    private final BankLedger ledger;
    private final Verdict verdict;
    private volatile boolean ended;

    BankReader(String bootstrap, Bank.Names names, String zone, Verdict verdict) {
        super("reader-" + zone);
        setDaemon(true);
        this.ledger = new BankLedger(bootstrap, names, "reader in zone " + zone, zone, verdict);
        this.verdict = verdict;
    }

    @Override
    public void run() {
        try {
            while (!ended) {
                ledger.read();
            }
        } catch (RuntimeException e) {
            verdict.violation(Kind.FAILED, getName() + " cannot go on: " + e);
        }
    }

    void end() throws InterruptedException {
        ended = true;
        join();
    }

    BankLedger ledger() {
        return ledger;
    }

    /** Whether it has all of these orders, and what it has adds up; reads on for a moment. */
    boolean isComplete(Set<String> orders) {
        ledger.read();
        return ledger.missing(orders).isEmpty() && ledger.isBalanced();
    }

    @Override
    public void close() {
        ledger.close();
    }
}
