package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ExtentState.Store;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExtentRulesTest {
    private static final List<Store> HERE = List.of(new Store(1, "store-1"));

    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();

    @Test
    void aNewExtentIsOpenOnTheWritersOwnStore() {
        ExtentState extent = script.done(new Command.CreateExtent(1, epoch, 2));
        assertThat(extent)
                .isEqualTo(new ExtentState(extent.extentId(), 1, epoch, epoch, 2, HERE, 1, Phase.OPEN, -1, List.of()));
        assertThat(script.extent(extent.extentId())).isEqualTo(extent);
        assertThat(script.done(new Command.CreateExtent(1, epoch, 0)).extentId())
                .isEqualTo(extent.extentId() + 1);
        script.refused(Reason.INVALID, new Command.CreateExtent(1, epoch, 3));
    }

    @Test
    void anExtentWithoutEnoughStoresHasToWait() {
        script.replicas(3, 2);
        script.refused(Reason.NOT_YET, new Command.CreateExtent(1, epoch, 1));
        script.register(2);
        assertThat(script.done(new Command.CreateExtent(1, epoch, 1)).ensemble())
                .hasSize(2);
    }

    @Test
    void aSealedLengthIsFinal() {
        long id = script.done(new Command.CreateExtent(1, epoch, 1)).extentId();
        script.refused(Reason.FENCED, new Command.SealExtent(id, epoch - 1, 7, HERE));
        script.refused(Reason.INVALID, new Command.SealExtent(id, epoch, -7, HERE));
        script.refused(Reason.INVALID, new Command.SealExtent(id, epoch, 7, List.of()));
        script.refused(Reason.NOT_FOUND, new Command.SealExtent(id + 1, epoch, 7, HERE));
        script.done(new Command.SealExtent(id, epoch, 7, HERE));
        assertThat(script.extent(id).phase()).isEqualTo(Phase.SEALED);

        script.doneWithoutEffect(new Command.SealExtent(id, epoch, 7, HERE));
        script.refused(Reason.FENCED, new Command.SealExtent(id, epoch, 8, HERE));
        script.done(new Command.PublishFlush(1, epoch, id, -1, 0, List.of(), List.of()));
        script.doneWithoutEffect(new Command.SealExtent(id, epoch, 7, HERE));
        script.refused(Reason.FENCED, new Command.SealExtent(id, epoch, 8, HERE));
    }

    @Test
    void anOldProcessCannotSealAfterTheNodeRegisteredAgain() {
        long id = script.done(new Command.CreateExtent(1, epoch, 1)).extentId();
        script.register(1);
        script.refused(Reason.FENCED, new Command.SealExtent(id, epoch, 7, HERE));
    }

    @Test
    void recoveryRaisesTheEpochEachTimeAndOnlyTheNewestMaySeal() {
        long id = script.done(new Command.CreateExtent(1, epoch, 1)).extentId();
        script.refused(Reason.NOT_YET, new Command.RecoverExtent(id, 1, epoch));
        script.refused(Reason.NOT_FOUND, new Command.RecoverExtent(id + 1, 1, epoch));
        long next = script.register(1);
        script.refused(Reason.FENCED, new Command.RecoverExtent(id, 1, epoch));

        long first = script.done(new Command.RecoverExtent(id, 1, next)).epoch();
        long second = script.done(new Command.RecoverExtent(id, 1, next)).epoch();
        assertThat(first).isGreaterThan(next);
        assertThat(second).isGreaterThan(first);
        assertThat(script.extent(id).phase()).isEqualTo(Phase.RECOVERING);
        script.refused(Reason.FENCED, new Command.SealExtent(id, first, 7, HERE));
        script.refused(Reason.FENCED, new Command.SealExtent(id, epoch, 7, HERE));
        script.done(new Command.SealExtent(id, second, 7, HERE));
        script.refused(Reason.FENCED, new Command.RecoverExtent(id, 1, next));
        assertThat(script.extent(id).writerEpoch()).isEqualTo(epoch);
    }

    @Test
    void noCopyGoesBeforeTheFlushAndTheLastOneTakesTheExtentWithIt() {
        script.register(2);
        script.replicas(2, 2);
        long id = script.sealedExtent(epoch, 7);
        script.refused(Reason.NOT_YET, new Command.ReleaseExtent(id, HERE));
        script.done(new Command.PublishFlush(1, epoch, id, -1, 0, List.of(), List.of()));

        script.done(new Command.ReleaseExtent(id, HERE));
        assertThat(script.extent(id).holders()).containsExactly(new Store(2, "store-2"));
        script.doneWithoutEffect(new Command.ReleaseExtent(id, HERE));
        script.done(new Command.ReleaseExtent(id, List.of(new Store(2, "store-2"))));
        assertThat(script.state().extents()).doesNotContainKey(id);
        script.doneWithoutEffect(new Command.ReleaseExtent(id, HERE));
        // A late copy of the flush finds its work done
        script.doneWithoutEffect(new Command.PublishFlush(1, epoch, id, -1, 0, List.of(), List.of()));
    }
}
