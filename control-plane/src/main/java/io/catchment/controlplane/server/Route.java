package io.catchment.controlplane.server;

import io.catchment.controlplane.lead.Reply;
import io.catchment.controlplane.lead.Submission;
import java.util.function.Consumer;

/** The way to the active controller, wherever it is. Called on the control loop, and answers there. */
@FunctionalInterface
interface Route {
    /** Answers exactly once; a way that cannot tell whether the controller got it answers UNCERTAIN. */
    void send(Submission submission, Consumer<Reply> answer);
}
