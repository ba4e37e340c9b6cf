package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.state.ClusterState;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The table of all rules by kind of command. Immutable. */
public final class CommandRules {
    private static final Map<Class<?>, CommandRule<?, ?>> RULES = new Table()
            .with(Command.RegisterNode.class, NodeRules::register)
            .with(Command.UnregisterNode.class, NodeRules::unregister)
            .with(Command.FenceNode.class, NodeRules::fence)
            .with(Command.DrainNode.class, NodeRules::drain)
            .with(Command.RemoveNode.class, NodeRules::remove)
            .with(Command.CreateTopics.class, TopicRules::create)
            .with(Command.DeleteTopics.class, TopicRules::delete)
            .with(Command.CreatePartitions.class, TopicRules::createPartitions)
            .with(Command.AlterConfigs.class, ConfigRules::alter)
            .with(Command.AlterClients.class, ClientRules::alter)
            .with(Command.AllocateProducerIds.class, ConfigRules::allocateProducerIds)
            .with(Command.OpenStreams.class, StreamRules::open)
            .with(Command.MoveStreams.class, StreamRules::move)
            .with(Command.ResignStreams.class, StreamRules::resign)
            .with(Command.CreateExtent.class, ExtentRules::create)
            .with(Command.SealExtent.class, ExtentRules::seal)
            .with(Command.RecoverExtent.class, ExtentRules::recover)
            .with(Command.ReleaseExtent.class, ExtentRules::release)
            .with(Command.AddHolder.class, ExtentRules::addHolder)
            .with(Command.PrepareObjects.class, ObjectRules::prepare)
            .with(Command.PublishFlush.class, FlushRules::publish)
            .with(Command.PublishMerge.class, MergeRules::publish)
            .with(Command.PublishManifest.class, ManifestRules::publish)
            .with(Command.ReleaseManifest.class, ManifestRules::release)
            .with(Command.TrimStreams.class, TrimRules::trim)
            .with(Command.ForgetObjects.class, ObjectRules::forget)
            .with(Command.ExpireObjects.class, ObjectRules::expire)
            .rules;

    private CommandRules() {}

    /** The command's effect on this state. */
    @SuppressWarnings("unchecked") // the table pairs each class with its own rule
    public static <R> Decision<R> decide(Command<R> command, ClusterState state, Conditions conditions) {
        CommandRule<Command<R>, R> rule = (CommandRule<Command<R>, R>) RULES.get(command.getClass());
        if (rule == null) {
            throw new IllegalArgumentException("no rule for " + command.getClass());
        }
        return rule.decide(command, new Draft(state, conditions));
    }

    static Set<Class<?>> kinds() {
        return RULES.keySet();
    }

    private static final class Table {
        private final Map<Class<?>, CommandRule<?, ?>> rules = new HashMap<>();

        <C extends Command<R>, R> Table with(Class<C> kind, CommandRule<C, R> rule) {
            rules.put(kind, rule);
            return this;
        }
    }
}
