package io.catchment.broker.config;

/** The headings of the configuration table, in its order. */
enum KeyGroup {
    NODE("Node"),
    NETWORK("Listeners and connections"),
    CONTROL("Control plane"),
    WAL("Write-ahead log"),
    STORE("Object store"),
    READ("Reads"),
    TOPICS("Defaults of topics"),
    GROUPS("Consumer groups"),
    TRANSACTIONS("Transactions"),
    QUOTAS("Quotas of clients"),
    SHARES("State of share groups");

    final String title;

    KeyGroup(String title) {
        this.title = title;
    }
}
