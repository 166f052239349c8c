package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.agent.database.RelayLog.Event;
import dev.understudy.agent.database.RelayLog.Scan;
import dev.understudy.agent.database.RelayLog.Unapplied;
import dev.understudy.protocol.GtidList;
import org.junit.jupiter.api.Test;

/// What counts as received in the relay log of a server that was started again (S25).
class RelayLogTest {

    private final Scan scan = new Scan(GtidList.parse("0-1-7"));

    @Test
    void onlyWholeTransactionsThatAreNotApplied() {
        see("relay.000002", 300, "Format_desc", "Server ver: 10.11");
        see("relay.000002", 621, "Gtid", "BEGIN GTID 0-1-7");
        see("relay.000002", 700, "Xid", "COMMIT /* xid=7 */");
        see("relay.000002", 731, "Gtid", "BEGIN GTID 0-1-8 cid=1635");
        see("relay.000002", 790, "Query", "insert into shop.entry values (1)");
        see("relay.000002", 850, "Xid", "COMMIT /* xid=8 */");
        see("relay.000002", 900, "Gtid", "GTID 0-1-9");
        see("relay.000002", 950, "Query", "use `shop`; ALTER TABLE entry ADD note INT");
        see("relay.000002", 990, "Gtid", "BEGIN GTID 0-1-10");
        see("relay.000002", 1030, "Query", "insert into shop.entry values (2)");
        assertThat(scan.result()).contains(new Unapplied("relay.000002", 731, GtidList.parse("0-1-9")));
    }

    @Test
    void aTransactionMayGoOnInTheNextFileAndDomainsAreApart() {
        see("relay.000002", 731, "Gtid", "BEGIN GTID 0-2-8");
        see("relay.000002", 790, "Rotate", "relay.000003;pos=4");
        see("relay.000003", 256, "Query", "COMMIT");
        see("relay.000003", 300, "Gtid", "BEGIN GTID 5-1-1");
        see("relay.000003", 350, "Xid", "COMMIT /* xid=9 */");
        assertThat(scan.result()).contains(new Unapplied("relay.000002", 731, GtidList.parse("0-2-8,5-1-1")));
    }

    @Test
    void nothingWhereAllIsApplied() {
        see("relay.000002", 621, "Gtid", "BEGIN GTID 0-1-6");
        see("relay.000002", 700, "Xid", "COMMIT /* xid=6 */");
        assertThat(scan.result()).isEmpty();
    }

    @Test
    void theNextFileHasTheNextNumber() {
        assertThat(RelayLog.next("relay.000009")).isEqualTo("relay.000010");
        assertThat(RelayLog.next("db1-relay-bin.999999")).isEqualTo("db1-relay-bin.1000000");
    }

    private void see(String file, long position, String type, String info) {
        scan.see(file, new Event(type, position, info));
    }
}
