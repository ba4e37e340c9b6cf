package io.catchment.chaos.storefault;

import java.net.InetSocketAddress;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** chaos s3-proxy. */
@Command(
        name = "s3-proxy",
        description = {
            "A proxy before an S3 server that can fail in every way, until it is ended. Switched by HTTP on the control port:",
            "/fault?name=NAME&kinds=PUT,GET&probability=P, /clear, /bandwidth?bytes=N, /away, /back, /traffic.",
            "Names: slow-down, unavailable, internal-error, expired-token, invalid-key, access-denied, silence, reset, reset-request,"
                    + " reset-answer, truncate, corrupt-answer, corrupt-request, delay-MS. Kinds: PUT, GET, HEAD, DELETE, LIST."
        })
public final class S3ProxyCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec command;

    @Option(names = "--listen", required = true, description = "Port for clients; 0: a free one")
    private int listen;

    @Option(names = "--target", required = true, description = "HOST:PORT of the S3 server, plain HTTP")
    private String target = "";

    @Option(names = "--control", defaultValue = "0", description = "Port for commands. Default: a free one")
    private int control;

    @Option(names = "--seed", description = "Of the faults' dice. Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Override
    public Integer call() throws Exception {
        int colon = target.lastIndexOf(':');
        if (colon < 1) {
            throw new ParameterException(
                    java.util.Objects.requireNonNull(command).commandLine(), "--target " + target + ": HOST:PORT");
        }
        var address = InetSocketAddress.createUnresolved(
                target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
        try (var proxy = StoreProxy.start(listen, address, seed);
                var controlled = new ProxyControl(proxy, control)) {
            System.out.printf(
                    "S3 proxy on 127.0.0.1:%d before %s, control on http://127.0.0.1:%d, seed %d%n",
                    proxy.port(), target, controlled.port(), seed);
            Thread.currentThread().join();
        }
        return 0;
    }
}
