package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CommandRulesTest {
    @Test
    void everyCommandHasARule() {
        assertThat(CommandRules.kinds()).isEqualTo(Set.copyOf(Arrays.asList(commands())));
    }

    private static Class<?>[] commands() {
        return Command.class.getPermittedSubclasses();
    }
}
