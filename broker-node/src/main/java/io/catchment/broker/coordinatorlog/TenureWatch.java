package io.catchment.broker.coordinatorlog;

import io.catchment.broker.partition.PartitionView;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;

/**
 * Passes the acknowledged end of one partition on to the coordinator, as long as one tenure lasts. Owned by the partition's
 * event loop, but for {@code retired}.
 */
final class TenureWatch implements PartitionView.AdvanceListener {
    private final Tenure tenure;
    private final PartitionWriter.Listener listener;
    private volatile boolean retired;
    private long passedOn = -1;

    TenureWatch(Tenure tenure, PartitionWriter.Listener listener) {
        this.tenure = tenure;
        this.listener = listener;
    }

    @Override
    public void advanced(PartitionView partition) {
        if (retired) {
            return;
        }
        if (!tenure.holds()) {
            retired = true;
            return;
        }
        long highWatermark = partition.highWatermark();
        if (highWatermark > passedOn) {
            passedOn = highWatermark;
            try {
                listener.onHighWatermarkUpdated(tenure.topicPartition(), highWatermark);
            } catch (RejectedExecutionException coordinatorIsClosing) {
                retired = true;
            }
        }
    }

    void retire() {
        retired = true;
        tenure.view().unwatch(this);
    }
}
