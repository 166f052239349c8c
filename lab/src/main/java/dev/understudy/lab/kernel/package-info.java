/// What the lab asks of Linux: network namespaces by thread, process tables, packet sockets,
/// nftables, child processes.
@NullMarked
package dev.understudy.lab.kernel;

import org.jspecify.annotations.NullMarked;
