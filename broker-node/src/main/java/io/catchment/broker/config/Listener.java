package io.catchment.broker.config;

/**
 * A listener's name and address.
 *
 * @param host empty: all addresses of this machine
 * @param port 0: choose a free one
 */
public record Listener(String name, String host, int port) {

    /** {@code HOST:PORT}. */
    public String address() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    @Override
    public String toString() {
        return name + "://" + address();
    }
}
