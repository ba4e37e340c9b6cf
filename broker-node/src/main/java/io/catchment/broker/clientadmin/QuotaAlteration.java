package io.catchment.broker.clientadmin;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.metadata.ClientQuotaRecord;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.image.ClientQuotaImage;
import org.apache.kafka.image.ClientQuotasImage;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.config.QuotaConfig;
import org.jspecify.annotations.Nullable;

/** What may be asked of one entity's quotas, with Kafka's messages, and the records it becomes. Pure but for names of hosts. */
final class QuotaAlteration {
    private static final double WHOLE = 1e-6;

    private QuotaAlteration() {}

    /** Whether {@link #check} has to ask a name server. */
    static boolean needsLookup(ClientQuotaEntity entity) {
        @Nullable String host = entity.entries().get(ClientQuotaEntity.IP);
        return host != null && NetUtil.createInetAddressFromIpAddressString(host) == null;
    }

    static ApiError check(ClientQuotaAlteration alteration) {
        Set<String> seen = new HashSet<>();
        for (ClientQuotaAlteration.Op op : alteration.ops()) {
            if (!seen.add(op.key())) {
                return invalid("Duplicate quota key " + op.key() + " not updating quota for this entity "
                        + alteration.entity());
            }
        }
        ApiError error = checkEntity(alteration.entity());
        if (error.isFailure()) {
            return error;
        }
        ConfigDef keys = alteration.entity().entries().containsKey(ClientQuotaEntity.IP)
                ? QuotaConfig.ipConfigs()
                : QuotaConfig.userAndClientQuotaConfigs();
        for (ClientQuotaAlteration.Op op : alteration.ops()) {
            if (op.value() != null) {
                ApiError wrong = checkValue(keys, op.key(), op.value());
                if (wrong.isFailure()) {
                    return wrong;
                }
            }
        }
        return ApiError.NONE;
    }

    private static ApiError checkEntity(ClientQuotaEntity entity) {
        Map<String, String> parts = entity.entries();
        if (parts.isEmpty()) {
            return invalid("Invalid empty client quota entity");
        }
        for (Map.Entry<String, String> part : parts.entrySet()) {
            if (!ClientQuotaEntity.isValidEntityType(part.getKey())) {
                return invalid("Unhandled client quota entity type: " + part.getKey());
            }
            if (part.getValue() != null && part.getValue().isEmpty()) {
                return invalid("Empty " + part.getKey() + " not supported");
            }
        }
        if (!parts.containsKey(ClientQuotaEntity.IP)) {
            return ApiError.NONE;
        }
        if (parts.size() > 1) {
            return invalid(
                    "Invalid quota entity combination, IP entity should" + "not be combined with User or ClientId");
        }
        @Nullable String host = parts.get(ClientQuotaEntity.IP);
        return host == null || isKnown(host) ? ApiError.NONE : invalid(host + " is not a valid IP or resolvable host.");
    }

    private static boolean isKnown(String host) {
        try {
            return InetAddress.getByName(host) != null;
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static ApiError checkValue(ConfigDef keys, String key, double value) {
        ConfigDef.@Nullable ConfigKey known = keys.configKeys().get(key);
        if (known == null) {
            return invalid("Invalid configuration key " + key);
        }
        // Not a number is not greater than 0 either
        if (!(value > 0)) {
            return invalid("Quota " + key + " must be greater than 0");
        }
        return switch (known.type()) {
            case DOUBLE -> ApiError.NONE;
            case INT -> checkWhole(key, value, Integer.MAX_VALUE, "an INT");
            case LONG -> checkWhole(key, value, Long.MAX_VALUE, "a LONG");
            default -> throw new IllegalStateException("quota " + key + " is a " + known.type());
        };
    }

    private static ApiError checkWhole(String key, double value, double max, String type) {
        if (value > max) {
            return invalid("Proposed value for " + key + " is too large for " + type + ".");
        }
        return Math.abs(value % 1.0) > WHOLE ? invalid(key + " cannot be a fractional value.") : ApiError.NONE;
    }

    private static ApiError invalid(String message) {
        return new ApiError(Errors.INVALID_REQUEST, message);
    }

    /** Only what changes anything. */
    static List<ApiMessageAndVersion> records(ClientQuotaAlteration alteration, ClientQuotasImage present) {
        Map<String, Double> before = present.entities()
                .getOrDefault(alteration.entity(), ClientQuotaImage.EMPTY)
                .quotas();
        List<ApiMessageAndVersion> records = new ArrayList<>();
        for (ClientQuotaAlteration.Op op : alteration.ops()) {
            @Nullable Double value = op.value();
            boolean changes = value == null ? before.containsKey(op.key()) : !value.equals(before.get(op.key()));
            if (changes) {
                ClientQuotaRecord record = new ClientQuotaRecord()
                        .setEntity(ClientQuotaImage.entityToData(alteration.entity()))
                        .setKey(op.key())
                        .setRemove(value == null);
                if (value != null) {
                    record.setValue(value);
                }
                records.add(new ApiMessageAndVersion(record, (short) 0));
            }
        }
        return records;
    }
}
