/// Virtual addresses: the nftables gate, the interface's addresses by rtnetlink, and announcements by ARP and
/// neighbour discovery.
@NullMarked
package dev.understudy.agent.act.net;

import org.jspecify.annotations.NullMarked;
