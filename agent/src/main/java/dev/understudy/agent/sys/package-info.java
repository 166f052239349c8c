/// The few system calls that Java lacks, by Foreign Function & Memory: pidfd, netlink and packet sockets, setns. The
/// process needs `--enable-native-access=ALL-UNNAMED`.
@NullMarked
package dev.understudy.agent.sys;

import org.jspecify.annotations.NullMarked;
