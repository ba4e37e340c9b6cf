package io.catchment.chaos;

import io.catchment.chaos.bench.BenchCommand;
import io.catchment.chaos.catchup.BacklogReadCommand;
import io.catchment.chaos.catchup.CatchupCommand;
import io.catchment.chaos.clients.ClientsCommand;
import io.catchment.chaos.compaction.CompactionCommand;
import io.catchment.chaos.connect.ConnectCommand;
import io.catchment.chaos.fuzz.FuzzCommand;
import io.catchment.chaos.mirror.MirrorCommand;
import io.catchment.chaos.nodes.BankCommand;
import io.catchment.chaos.nodes.BlackoutCommand;
import io.catchment.chaos.nodes.FailoverCommand;
import io.catchment.chaos.nodes.NearestCommand;
import io.catchment.chaos.nodes.PauseCommand;
import io.catchment.chaos.nodes.QuotaCommand;
import io.catchment.chaos.nodes.RecoverCommand;
import io.catchment.chaos.nodes.ReplaceCommand;
import io.catchment.chaos.nodes.RollingCommand;
import io.catchment.chaos.nodes.ScaleCommand;
import io.catchment.chaos.nodes.ShareCommand;
import io.catchment.chaos.nodes.ShareCrewCommand;
import io.catchment.chaos.nodes.SlowDiskCommand;
import io.catchment.chaos.nodes.StreamsCommand;
import io.catchment.chaos.nodes.ZonesCommand;
import io.catchment.chaos.scenario.KillCycleCommand;
import io.catchment.chaos.scenario.OutageCommand;
import io.catchment.chaos.scenario.StatelessCommand;
import io.catchment.chaos.station.CheckCommand;
import io.catchment.chaos.station.PlayCommand;
import io.catchment.chaos.store.BacklogCommand;
import io.catchment.chaos.store.CrashPointsCommand;
import io.catchment.chaos.store.StoreFaultsCommand;
import io.catchment.chaos.storefault.S3ProxyCommand;
import io.catchment.chaos.tools.ToolsCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The chaos programs: workloads, faults, checkers, benchmark. */
@Command(
        name = "chaos",
        mixinStandardHelpOptions = true,
        subcommands = {
            PlayCommand.class,
            CheckCommand.class,
            KillCycleCommand.class,
            StatelessCommand.class,
            OutageCommand.class,
            FailoverCommand.class,
            BankCommand.class,
            ShareCommand.class,
            ShareCrewCommand.class,
            PauseCommand.class,
            BlackoutCommand.class,
            RollingCommand.class,
            ReplaceCommand.class,
            RecoverCommand.class,
            ScaleCommand.class,
            SlowDiskCommand.class,
            ZonesCommand.class,
            NearestCommand.class,
            FuzzCommand.class,
            QuotaCommand.class,
            StreamsCommand.class,
            ClientsCommand.class,
            ConnectCommand.class,
            MirrorCommand.class,
            ToolsCommand.class,
            BacklogCommand.class,
            StoreFaultsCommand.class,
            CrashPointsCommand.class,
            S3ProxyCommand.class,
            CatchupCommand.class,
            BacklogReadCommand.class,
            CompactionCommand.class,
            BenchCommand.class,
            CommandLine.HelpCommand.class
        },
        description = "Loads a cluster, breaks it, and checks what it promised. Returns 1 when a promise was broken.")
public final class ChaosCommand {
    private ChaosCommand() {}

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new ChaosCommand()).execute(arguments));
    }
}
