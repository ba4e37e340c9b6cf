package io.catchment.broker.transaction;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.transaction.TransactionLogConfig;
import org.apache.kafka.coordinator.transaction.TransactionStateManagerConfig;

/**
 * Settings of the transaction coordinator, by Kafka's names and with Kafka's defaults. Immutable.
 *
 * @param timeoutMsMax of a transaction, whatever its producer asks for
 * @param idExpirationMs after which an id that nobody uses is forgotten
 * @param abortCheckMs how often transactions are looked for that are too old
 * @param expiryCheckMs how often ids are looked for that nobody uses
 */
public record TransactionSettings(
        int partitions,
        short replicationFactor,
        int segmentBytes,
        int loadBufferBytes,
        int timeoutMsMax,
        int idExpirationMs,
        int abortCheckMs,
        int expiryCheckMs) {
    private static final Set<String> KEYS = Set.of(
            TransactionLogConfig.TRANSACTIONS_TOPIC_PARTITIONS_CONFIG,
            TransactionLogConfig.TRANSACTIONS_TOPIC_REPLICATION_FACTOR_CONFIG,
            TransactionLogConfig.TRANSACTIONS_TOPIC_SEGMENT_BYTES_CONFIG,
            TransactionLogConfig.TRANSACTIONS_LOAD_BUFFER_SIZE_CONFIG,
            TransactionStateManagerConfig.TRANSACTIONS_MAX_TIMEOUT_MS_CONFIG,
            TransactionStateManagerConfig.TRANSACTIONAL_ID_EXPIRATION_MS_CONFIG,
            TransactionStateManagerConfig.TRANSACTIONS_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS_CONFIG,
            TransactionStateManagerConfig.TRANSACTIONS_REMOVE_EXPIRED_TRANSACTIONAL_ID_CLEANUP_INTERVAL_MS_CONFIG);

    /** The keys this component understands, to be merged into the node's own definition. */
    public static ConfigDef definition() {
        ConfigDef served = new ConfigDef();
        for (ConfigDef kafka :
                new ConfigDef[] {TransactionLogConfig.CONFIG_DEF, TransactionStateManagerConfig.CONFIG_DEF}) {
            for (String key : new TreeSet<>(kafka.configKeys().keySet())) {
                if (KEYS.contains(key)) {
                    served.define(kafka.configKeys().get(key));
                }
            }
        }
        return served;
    }

    /** Reads its keys out of a node's properties; others are ignored. Throws ConfigException for a bad value. */
    public static TransactionSettings of(Map<String, ?> nodeProperties) {
        AbstractConfig config = new AbstractConfig(definition(), nodeProperties, false);
        return new TransactionSettings(
                config.getInt(TransactionLogConfig.TRANSACTIONS_TOPIC_PARTITIONS_CONFIG),
                config.getShort(TransactionLogConfig.TRANSACTIONS_TOPIC_REPLICATION_FACTOR_CONFIG),
                config.getInt(TransactionLogConfig.TRANSACTIONS_TOPIC_SEGMENT_BYTES_CONFIG),
                config.getInt(TransactionLogConfig.TRANSACTIONS_LOAD_BUFFER_SIZE_CONFIG),
                config.getInt(TransactionStateManagerConfig.TRANSACTIONS_MAX_TIMEOUT_MS_CONFIG),
                config.getInt(TransactionStateManagerConfig.TRANSACTIONAL_ID_EXPIRATION_MS_CONFIG),
                config.getInt(
                        TransactionStateManagerConfig
                                .TRANSACTIONS_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS_CONFIG),
                config.getInt(
                        TransactionStateManagerConfig
                                .TRANSACTIONS_REMOVE_EXPIRED_TRANSACTIONAL_ID_CLEANUP_INTERVAL_MS_CONFIG));
    }
}
