/// What agents and controllers say to each other, and both halves of the lease protocol.
///
/// Read in this order: [dev.understudy.protocol.ClusterSpec], [dev.understudy.protocol.AgentMessage],
/// [dev.understudy.protocol.ControllerMessage], [dev.understudy.protocol.Command],
/// [dev.understudy.protocol.LeaseHolder] (the agent's half), [dev.understudy.protocol.LeaseGrantor] (the
/// controller's half). Everything here is pure: no thread, socket, file, clock or codec.
@NullMarked
package dev.understudy.protocol;

import org.jspecify.annotations.NullMarked;
