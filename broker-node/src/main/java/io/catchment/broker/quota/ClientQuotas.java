package io.catchment.broker.quota;

import io.catchment.broker.fetch.FetchQuota;
import io.catchment.broker.network.NetworkQuotas;
import io.catchment.broker.network.Request;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.apache.kafka.common.metrics.MetricConfig;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.network.Session;
import org.apache.kafka.server.quota.ClientQuotaManager;
import org.apache.kafka.server.quota.ClientRequestQuotaManager;
import org.apache.kafka.server.quota.ControllerMutationQuota;
import org.apache.kafka.server.quota.ControllerMutationQuotaManager;
import org.apache.kafka.server.quota.QuotaType;

/**
 * The limits of clients at this node: who has sent, fetched, changed and used how much, by Kafka's own managers. Thread-safe. It only
 * reckons: holding a connection back is the network's, so Kafka's threads that do so are ended at once.
 */
public final class ClientQuotas implements NetworkQuotas, FetchQuota, AutoCloseable {
    private static final double PERCENT_PER_NANO = 100.0 / 1_000_000_000;

    private final Metrics metrics;
    private final Time time;
    private final QuotaObserver observer;
    private final ClientQuotaManager produce;
    private final ClientQuotaManager fetch;
    private final ClientRequestQuotaManager requests;
    private final ControllerMutationQuotaManager mutations;
    private final ConnectionRates connections;
    private final Session anonymous;

    public ClientQuotas(QuotaSettings settings, Time time, QuotaObserver observer) {
        this.metrics = new Metrics(new MetricConfig(), List.of(), time, true);
        this.time = time;
        this.observer = observer;
        this.produce = new ClientQuotaManager(settings.clients(), metrics, QuotaType.PRODUCE, time, "");
        this.fetch = new ClientQuotaManager(settings.clients(), metrics, QuotaType.FETCH, time, "");
        this.requests = new ClientRequestQuotaManager(settings.clients(), metrics, time, "", Optional.empty());
        this.mutations = new ControllerMutationQuotaManager(settings.mutations(), metrics, time, "", Optional.empty());
        this.connections = new ConnectionRates(metrics, time, settings);
        this.anonymous = new Session(KafkaPrincipal.ANONYMOUS, InetAddress.getLoopbackAddress());
        all().forEach(ClientQuotaManager::initiateShutdown);
    }

    private List<ClientQuotaManager> all() {
        return List.of(produce, fetch, requests, mutations);
    }

    ClientQuotaManager produceManager() {
        return produce;
    }

    ClientQuotaManager fetchManager() {
        return fetch;
    }

    ClientQuotaManager requestManager() {
        return requests;
    }

    ClientQuotaManager mutationManager() {
        return mutations;
    }

    ConnectionRates connectionRates() {
        return connections;
    }

    // ---- bytes

    /** A produce request came; for how many ms its sender must be held back. */
    public int produced(RequestContext request, int bytes) {
        return produce.quotasEnabled() ? note(QuotaObserver.Limit.PRODUCE, record(produce, request, bytes)) : 0;
    }

    @Override
    public int answerBytesMax(Request request) {
        if (!fetch.quotasEnabled()) {
            return Integer.MAX_VALUE;
        }
        RequestContext from = request.context();
        return (int) Math.max(1, fetch.maxValueInQuotaWindow(session(from), from.clientId()));
    }

    @Override
    public int fetched(Request request, IntSupplier answerBytes) {
        if (!fetch.quotasEnabled()) {
            return 0;
        }
        RequestContext from = request.context();
        Session session = session(from);
        int bytes = answerBytes.getAsInt();
        long nowMs = time.milliseconds();
        int ms = fetch.recordAndGetThrottleTimeMs(session, from.clientId(), bytes, nowMs);
        if (ms > 0) {
            fetch.unrecordQuotaSensor(session, from.clientId(), bytes, nowMs);
        }
        return note(QuotaObserver.Limit.FETCH, ms);
    }

    @Override
    public int delivered(Request request, IntSupplier answerBytes) {
        return fetch.quotasEnabled()
                ? note(QuotaObserver.Limit.FETCH, record(fetch, request.context(), answerBytes.getAsInt()))
                : 0;
    }

    // ---- changes of partitions

    /**
     * For one request that creates or deletes partitions: it says with an exception which of them are too many (KIP-599).
     *
     * @param strictSinceVersion of the API: clients of older ones cannot be refused, they are not limited, as in Kafka
     */
    public ControllerMutationQuota mutations(RequestContext request, int strictSinceVersion) {
        return mutations.newQuotaFor(session(request), request.header, (short) strictSinceVersion);
    }

    /** All of the request has been decided upon; for how many ms its sender must be held back. */
    public int mutated(ControllerMutationQuota quota) {
        return note(QuotaObserver.Limit.CONTROLLER_MUTATION, quota.throttleTime());
    }

    // ---- time and connections

    @Override
    public boolean limitTime() {
        return requests.quotasEnabled();
    }

    @Override
    public int spent(RequestContext request, long nanos) {
        return isMarker(request)
                ? 0
                : note(QuotaObserver.Limit.REQUEST, record(requests, request, nanos * PERCENT_PER_NANO));
    }

    @Override
    public void spentSending(RequestContext request, long nanos) {
        if (!isMarker(request)) {
            requests.recordNoThrottle(session(request), request.clientId(), nanos * PERCENT_PER_NANO);
        }
    }

    @Override
    public int connectionDelayMs(InetAddress address) {
        return note(QuotaObserver.Limit.CONNECTION, connections.delayMs(address));
    }

    /** Free, as in Kafka, since readers of other clients' transactions wait for it. What else nodes ask could come from anybody. */
    private static boolean isMarker(RequestContext request) {
        return request.header.apiKey() == ApiKeys.WRITE_TXN_MARKERS;
    }

    // ---- steps

    private int record(ClientQuotaManager manager, RequestContext request, double value) {
        return manager.recordAndGetThrottleTimeMs(session(request), request.clientId(), value, time.milliseconds());
    }

    private int note(QuotaObserver.Limit limit, int ms) {
        if (ms > 0) {
            observer.throttled(limit, ms);
        }
        return ms;
    }

    /** Kafka's reckoning asks for the principal only; making a session anew would cost more than the reckoning. */
    private Session session(RequestContext request) {
        Session known = anonymous;
        return request.principal.equals(known.principal)
                ? known
                : new Session(request.principal, request.clientAddress);
    }

    @Override
    public void close() {
        metrics.close();
    }
}
