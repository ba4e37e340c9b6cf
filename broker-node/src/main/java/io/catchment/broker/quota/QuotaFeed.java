package io.catchment.broker.quota;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.ImageListener;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.apache.kafka.common.metrics.Quota;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.utils.internals.Sanitizer;
import org.apache.kafka.image.ClientQuotaImage;
import org.apache.kafka.image.ClientQuotasImage;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.quota.ClientQuotaEntity.ConfigEntity;
import org.apache.kafka.server.quota.ClientQuotaManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the quotas of this node what the cluster has decided. Owned by the control plane's thread for listeners. */
public final class QuotaFeed implements ImageListener {
    private static final Logger LOG = LoggerFactory.getLogger(QuotaFeed.class);

    private final ClientQuotas quotas;
    private final Executor lookups;
    private ClientQuotasImage known = ClientQuotasImage.EMPTY;

    /** @param lookups in order; where waiting for a name server harms nobody */
    public QuotaFeed(ClientQuotas quotas, Executor lookups) {
        this.quotas = quotas;
        this.lookups = lookups;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // of an image without changes; comparing what is in it would cost more
    public void changed(ImageDelta delta, ClusterImage image) {
        ClientQuotasImage next = image.metadata().clientQuotas();
        ClientQuotasImage before = known;
        if (next == before) {
            return;
        }
        known = next;
        Set<ClientQuotaEntity> entities = new HashSet<>(before.entities().keySet());
        entities.addAll(next.entities().keySet());
        for (ClientQuotaEntity entity : entities) {
            Map<String, Double> old = before.entities()
                    .getOrDefault(entity, ClientQuotaImage.EMPTY)
                    .quotas();
            Map<String, Double> now =
                    next.entities().getOrDefault(entity, ClientQuotaImage.EMPTY).quotas();
            Set<String> keys = new HashSet<>(old.keySet());
            keys.addAll(now.keySet());
            for (String key : keys) {
                @Nullable Double value = now.get(key);
                if (value == null || !value.equals(old.get(key))) {
                    apply(entity, key, value);
                }
            }
        }
    }

    private void apply(ClientQuotaEntity entity, String key, @Nullable Double value) {
        if (entity.entries().containsKey(ClientQuotaEntity.IP)) {
            applyConnections(entity.entries().get(ClientQuotaEntity.IP), value);
            return;
        }
        @Nullable ClientQuotaManager manager = manager(key);
        if (manager == null) {
            LOG.warn("{} has a quota {} that this version does not know", entity, key);
            return;
        }
        manager.updateQuota(
                part(entity, ClientQuotaEntity.USER),
                part(entity, ClientQuotaEntity.CLIENT_ID),
                Optional.ofNullable(value).map(Quota::upperBound));
    }

    private @Nullable ClientQuotaManager manager(String key) {
        return switch (key) {
            case QuotaConfig.PRODUCER_BYTE_RATE_OVERRIDE_CONFIG -> quotas.produceManager();
            case QuotaConfig.CONSUMER_BYTE_RATE_OVERRIDE_CONFIG -> quotas.fetchManager();
            case QuotaConfig.REQUEST_PERCENTAGE_OVERRIDE_CONFIG -> quotas.requestManager();
            case QuotaConfig.CONTROLLER_MUTATION_RATE_OVERRIDE_CONFIG -> quotas.mutationManager();
            default -> null;
        };
    }

    /** Absent: any. Without a name: all that have none of their own. */
    private static Optional<ConfigEntity> part(ClientQuotaEntity entity, String type) {
        if (!entity.entries().containsKey(type)) {
            return Optional.empty();
        }
        @Nullable String name = entity.entries().get(type);
        if (type.equals(ClientQuotaEntity.USER)) {
            return Optional.of(
                    name == null
                            ? ClientQuotaManager.DEFAULT_USER_ENTITY
                            : new ClientQuotaManager.UserEntity(Sanitizer.sanitize(name)));
        }
        return Optional.of(
                name == null ? ClientQuotaManager.DEFAULT_USER_CLIENT_ID : new ClientQuotaManager.ClientIdEntity(name));
    }

    private void applyConnections(@Nullable String host, @Nullable Double perSecond) {
        if (host == null || NetUtil.createInetAddressFromIpAddressString(host) != null) {
            limit(host, perSecond);
        } else {
            lookups.execute(() -> limit(host, perSecond));
        }
    }

    private void limit(@Nullable String host, @Nullable Double perSecond) {
        try {
            quotas.connectionRates().limit(host == null ? null : InetAddress.getByName(host), perSecond);
        } catch (UnknownHostException e) {
            LOG.warn("The quota of connections from {} is without effect here: its address is not known", host);
        }
    }
}
