package io.catchment.broker.testing;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.List;
import java.util.Map;

/** One stream of node 1, with ranges in objects of their own, in the control plane's real state. */
public final class PublishedStream {
    public final RulesControlPlane control = new RulesControlPlane();
    public final long nodeEpoch = control.register(1);
    public final long streamId;

    /** @param lengths of its ranges, each of ten offsets */
    public PublishedStream(int... lengths) {
        control.now(new Command.CreateTopics(
                List.of(new Command.CreateTopic("topic", 1, (short) 1, Map.of(), List.of(1))), false));
        streamId = control.image().topic("topic").orElseThrow().streams().get(0);
        control.now(new Command.OpenStreams(1, nodeEpoch, List.of(new Command.Claim(streamId, 0))));
        for (int length : lengths) {
            publish(length);
        }
    }

    private void publish(int length) {
        long extent = control.now(new Command.CreateExtent(1, nodeEpoch, 1)).extentId();
        control.now(new Command.SealExtent(extent, nodeEpoch, 100, List.of(new ExtentState.Store(1, "store-1"))));
        long object =
                control.now(new Command.PrepareObjects(1, nodeEpoch, 1, 60_000)).get(0);
        long base = stream().catalogEndOffset();
        control.now(new Command.PublishFlush(
                1,
                nodeEpoch,
                extent,
                object,
                length + 100,
                List.of(new Command.NewRange(streamId, base, base + 10, 16, length, 0, 0)),
                List.of()));
    }

    public StreamState stream() {
        return control.image().stream(streamId).orElseThrow();
    }

    public List<StreamRange> ranges() {
        return stream().catalog();
    }
}
