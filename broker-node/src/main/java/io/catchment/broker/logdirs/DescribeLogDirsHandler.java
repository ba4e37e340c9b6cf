package io.catchment.broker.logdirs;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.StreamState;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeLogDirsRequest;
import org.apache.kafka.common.requests.DescribeLogDirsResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DescribeLogDirs (KIP-113, KIP-827): the partitions this node owns, and the disk of its WAL. A partition's size is what of it is
 * published in object storage, where it stays; the unflushed rest, of all partitions together, is what the disk has used.
 */
public final class DescribeLogDirsHandler implements ApiHandler {
    private static final Logger LOG = LoggerFactory.getLogger(DescribeLogDirsHandler.class);

    private final ControlPlane controlPlane;
    private final LogDirectory directory;

    public DescribeLogDirsHandler(ControlPlane controlPlane, LogDirectory directory) {
        this.controlPlane = controlPlane;
        this.directory = directory;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_LOG_DIRS;
    }

    /** Not on the event loop: it looks at all streams, and asks the file system. */
    @Override
    public void handle(Request request) {
        DescribeLogDirsRequestData asked = ((DescribeLogDirsRequest) request.body()).data();
        Later.respond(request, CompletableFuture.supplyAsync(() -> describe(asked)), (result, failure) -> {
            if (failure != null) {
                throw Errors.UNKNOWN_SERVER_ERROR.exception(String.valueOf(failure.getMessage()));
            }
            return new DescribeLogDirsResponse(new DescribeLogDirsResponseData().setResults(List.of(result)));
        });
    }

    private DescribeLogDirsResult describe(DescribeLogDirsRequestData asked) {
        ClusterImage image = controlPlane.image();
        DescribeLogDirsResult result = new DescribeLogDirsResult().setLogDir(directory.name());
        Map<String, DescribeLogDirsTopic> topics = new HashMap<>();
        Predicate<StreamState> wanted = wanted(asked);
        for (StreamState stream : image.streams()) {
            if (stream.ownerNodeId() == directory.nodeId() && wanted.test(stream)) {
                topics.computeIfAbsent(stream.topic(), name -> {
                            DescribeLogDirsTopic topic = new DescribeLogDirsTopic().setName(name);
                            result.topics().add(topic);
                            return topic;
                        })
                        .partitions()
                        .add(new DescribeLogDirsPartition()
                                .setPartitionIndex(stream.partition())
                                .setPartitionSize(stream.publishedBytes()));
            }
        }
        try {
            FileStore disk = Files.getFileStore(directory.path());
            result.setTotalBytes(disk.getTotalSpace()).setUsableBytes(disk.getUsableSpace());
        } catch (IOException e) {
            LOG.warn("The disk of {} cannot be asked for its space: {}", directory.path(), e.toString());
            result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code());
        }
        return result;
    }

    private static Predicate<StreamState> wanted(DescribeLogDirsRequestData asked) {
        if (asked.topics() == null) {
            return stream -> true;
        }
        Map<String, Set<Integer>> partitions = new HashMap<>();
        asked.topics().forEach(topic -> partitions
                .computeIfAbsent(topic.topic(), name -> new HashSet<>())
                .addAll(topic.partitions()));
        return stream -> partitions.getOrDefault(stream.topic(), Set.of()).contains(stream.partition());
    }
}
