package io.catchment.chaos.store;

import io.catchment.chaos.cluster.ObjectStoreServer;
import io.catchment.chaos.cluster.S3ObjectStore;
import io.catchment.chaos.storefault.StoreProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * An S3 server that nodes reach by way of a proxy, with keys they find in a file as the AWS SDK looks for it. Taken away by the proxy: it
 * refuses connections. Owned by the thread that runs the scenario.
 */
final class ProxiedStore implements ObjectStoreServer {
    private final S3ObjectStore server;
    private final StoreProxy proxy;
    private final Path keys;

    private ProxiedStore(S3ObjectStore server, StoreProxy proxy, Path keys) {
        this.server = server;
        this.proxy = proxy;
        this.keys = keys;
    }

    static ProxiedStore create(Path directory, long seed) throws IOException {
        Files.createDirectories(directory);
        S3ObjectStore server = S3ObjectStore.create(directory.resolve("s3"));
        try {
            var target = new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
            var store = new ProxiedStore(server, StoreProxy.start(0, target, seed), directory.resolve("keys"));
            store.rightKeys();
            return store;
        } catch (IOException e) {
            server.close();
            throw e;
        }
    }

    StoreProxy proxy() {
        return proxy;
    }

    /** For the nodes: where the keys are. */
    Map<String, String> environment() {
        return Map.of("AWS_SHARED_CREDENTIALS_FILE", keys.toAbsolutePath().toString());
    }

    void rightKeys() throws IOException {
        keys(S3ObjectStore.SECRET_ACCESS_KEY);
    }

    /** The file is not what the server wants any more. */
    void outdatedKeys() throws IOException {
        keys("outdated");
    }

    private void keys(String secret) throws IOException {
        Files.writeString(
                keys,
                "[default]\naws_access_key_id = " + S3ObjectStore.ACCESS_KEY_ID + "\naws_secret_access_key = " + secret
                        + "\n");
    }

    @Override
    public String uri() {
        return S3ObjectStore.uri(proxy.port());
    }

    /** For programs that do not look for a file. */
    String uriWithKeys() {
        return uri() + "&access-key-id=" + S3ObjectStore.ACCESS_KEY_ID + "&secret-access-key="
                + S3ObjectStore.SECRET_ACCESS_KEY;
    }

    @Override
    public void takeAway() {
        proxy.goAway();
    }

    @Override
    public void giveBack() {
        try {
            proxy.comeBack();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        proxy.close();
        server.close();
    }
}
