package dev.understudy.core.simulator;

import dev.understudy.core.Journaled;
import dev.understudy.core.OperatorRequest;
import dev.understudy.core.Rebuild;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.Observation.Finding;
import dev.understudy.protocol.Observation.Severity;
import dev.understudy.protocol.ResourceId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Fixed schedules of faults for executions that chance finds too seldom; delays within them are still the seed's.
/// Each waits until the site is up. Without a mutation they violate nothing.
final class Scripts {

    static final Map<Mutation, Consumer<Site>> ALL = new EnumMap<>(Mutation.class);

    private static final long UP = 14_000;

    static {
        ALL.put(Mutation.S1_COUNTS_FROM_RECEIVING, Scripts::anAcknowledgementIsInFlight);
        ALL.put(Mutation.S2_TAKE_COUNTS_FROM_ARRIVAL, Scripts::anOrderTakesLong);
        ALL.put(Mutation.S2_OBEYS_STALE_ORDERS, Scripts::ordersOvertakeEachOther);
        ALL.put(Mutation.S3_FORGETS_PROMISES, Scripts::aPromiserRestarts);
        ALL.put(Mutation.S4_GRANTS_WITHOUT_AUTHORITY, Scripts::aLeaderIsDeposedAndDoesNotKnow);
        ALL.put(Mutation.S5_FORGETS_ITS_STANDING_CONSENT, site -> standingConsentsAreLeft(site, false));
        ALL.put(Mutation.S5_TAKES_ITS_STANDING_CONSENT_BACK_ALONE, site -> standingConsentsAreLeft(site, true));
        ALL.put(Mutation.S7_ONE_CONSENT_FOR_ALL, Scripts::oneMemberConsentsAndOneDoesNot);
        ALL.put(Mutation.S8_NO_CHECK_AFTER_A_GAP, Scripts::aTargetFreezesBeforeItOpens);
        ALL.put(Mutation.S9_ADOPTS_WHATEVER_LIVES, Scripts::anIsolatedAgentRestartsAgainAndAgain);
        ALL.put(Mutation.S10_RENEWAL_REVIVES, site -> freezesBeforeAWrite(site, 4000));
        ALL.put(Mutation.S10_RELATIVE_TIME_OUT, site -> freezesBeforeAWrite(site, 1100));
        ALL.put(Mutation.S14_AN_ACKER_IS_LEFT_OUT, Scripts::oneReplicaAcknowledgesAlone);
        ALL.put(Mutation.S14_LEAVES_WITHOUT_BEING_BLOCKED, Scripts::oneThatHasLeftGoesOnAcknowledging);
        ALL.put(Mutation.S14_LEAVES_BEFORE_ANOTHER_HAS_IT, Scripts::oneWithTheOnlyCopyIsAway);
        ALL.put(Mutation.S14_PROMOTED_BEFORE_ALL_IS_FETCHED, Scripts::thePreferredOneLags);
        ALL.put(Mutation.S14_SAYS_WHAT_ITS_DONOR_HAS, Scripts::thePreferredOneLags);
        ALL.put(Mutation.S14_UNACKNOWLEDGED_COMMITS_ARE_HIDDEN, Scripts::somebodyTurnsSemiSyncOff);
        ALL.put(Mutation.S20_A_LATE_WORD_IS_OBEYED, Scripts::theOrderToGoOnAloneIsLate);
        ALL.put(Mutation.S15_RESTART_IS_NOT_TOLD, Scripts::relayLogsAreLost);
        ALL.put(Mutation.S16_RESTART_IS_BELIEVED, Scripts::thePrimaryRestartsInPlace);
        ALL.put(Mutation.S17_BELIEVES_ITSELF_CLEAN, Scripts::somebodyWritesOnAReplica);
        ALL.put(Mutation.S18_PURGES_WHAT_IS_NOT_APPLIED, Scripts::receivedAndNotApplied);
        ALL.put(Mutation.S22_OLD_JOURNAL_IS_BELIEVED, Scripts::aBackupOfTheJournalIsRestored);
        ALL.put(Mutation.UNDONE_MOVES_BLOCK, Scripts::theOrderToBlockComesAfterItsUndoing);
        ALL.put(Mutation.READER_STAYS_WITH_THE_UNFIT, Scripts::oneThatServesReadsFallsBehind);
        ALL.put(Mutation.READER_LAG_IS_HIDDEN, Scripts::oneThatServesReadsFallsBehind);
        ALL.put(Mutation.READER_GOES_AT_ONCE, Scripts::everyReplicaFallsBehindForAMoment);
        ALL.put(Mutation.LINT_IS_NOT_LOOKED_AT, Scripts::theFirstReplicaIsSetUpBadly);
        ALL.put(Mutation.REBUILD_BEGINS_WITH_AN_ACKER, Scripts::aReplicaIsRebuilt);
        ALL.put(Mutation.REBUILD_WITHOUT_QUARANTINE, Scripts::aReplicaIsRebuilt);
        ALL.put(Mutation.REBUILD_LOADS_THE_PRIMARY, Scripts::aReplicaIsRebuilt);
        ALL.put(Mutation.REBUILD_WAITS_FOR_A_DEAD_DONOR, Scripts::aDonorDiesInTheMiddle);
        ALL.put(Mutation.REBUILD_ADOPTS_HALF_A_COPY, Scripts::aDonorDiesInTheMiddle);
        ALL.put(Mutation.REBUILD_STOPS_WRITES, Scripts::theOnlyOneThatAcknowledgesIsRebuilt);
        ALL.put(Mutation.REBUILD_DROPS_WHAT_IT_ALONE_HAS, Scripts::theOneWithTheOnlyCopyIsRebuilt);
        ALL.put(Mutation.SILENCE_IS_TAKEN_FOR_DEATH, Scripts::aHolderFreezesForAMoment);
        ALL.put(Mutation.ORDERS_ARE_IGNORED_IN_THE_CALM, Scripts::everythingRestarts);
    }

    private Scripts() {}

    private static void at(Site site, long millis, Runnable what) {
        site.agenda.in(millis * Agenda.MILLI, what);
    }

    private static SimHost holder(Site site, ResourceId resource) {
        String name = site.journaledHolder(resource);
        return site.host(name == null ? "db1" : name);
    }

    private static List<String> ackers(Site site) {
        return site.journal.journaled().resources().get(Site.PRIMARY) instanceof PrimaryState primary
                ? primary.ackers()
                : List.of();
    }

    private static void isolate(Site site, SimHost host) {
        for (String other : site.network.nodes()) {
            site.network.block(host.name, other);
            site.network.block(other, host.name);
        }
    }

    private static void cut(Site site, String one, String other) {
        site.network.block(one, other);
        site.network.block(other, one);
    }

    private static void move(Site site, ResourceId resource) {
        site.controllers.forEach(c -> c.ask(new OperatorRequest.Switchover(resource, null)));
    }

    private static void anAcknowledgementIsInFlight(Site site) {
        at(site, UP, () -> site.network.weather(0, 0, site.timing().ttl().toMillis()));
        at(site, UP + 1000, () -> {
            isolate(site, holder(site, Site.ADDRESS));
            site.network.weather(0, 0, 2);
        });
    }

    /// Matters where a lease is longer than the time after which a take is overdue.
    private static void anOrderTakesLong(Site site) {
        at(site, UP, () -> {
            SimHost holder = holder(site, Site.ADDRESS);
            List<String> others = new ArrayList<>(site.balancers);
            others.remove(holder.name);
            for (String other : others) {
                site.controllers.forEach(c -> site.network.slow(c.name, other, 4500));
                at(site, 600, () -> isolate(site, site.host(other)));
            }
            holder.killService();
            at(site, 2000, holder::startService);
        });
    }

    private static void ordersOvertakeEachOther(Site site) {
        site.network.weather(0.1, 0.6, 900);
        for (long turn = 0; turn < 4; turn++) {
            at(site, 8000 + turn * 3000, () -> move(site, Site.ADDRESS));
            at(site, 9500 + turn * 3000, () -> move(site, Site.PRIMARY));
        }
    }

    private static void aPromiserRestarts(Site site) {
        at(site, UP, () -> {
            SimHost holder = holder(site, Site.ADDRESS);
            site.controllers.forEach(c -> cut(site, c.name, holder.name));
            for (long turn = 0; turn < 20; turn++) {
                at(
                        site,
                        turn * 350,
                        () -> site.balancers.stream()
                                .filter(b -> !b.equals(holder.name))
                                .map(site::host)
                                .forEach(member -> {
                                    member.killAgent();
                                    member.startAgent();
                                }));
            }
        });
    }

    /// Every other member's agent is stopped cleanly while no controller runs, and comes back with the controllers,
    /// which do not hear the holder. The members do not either, or hear one question whose answer is lost.
    private static void standingConsentsAreLeft(Site site, boolean oneQuestion) {
        at(site, UP, () -> {
            SimHost holder = holder(site, Site.ADDRESS);
            List<SimHost> others = site.balancers.stream()
                    .filter(b -> !b.equals(holder.name))
                    .map(site::host)
                    .toList();
            site.controllers.forEach(SimController::crash);
            at(site, 4000, () -> others.forEach(other -> Operators.stopAgent(other, 4000)));
            at(site, 7500, () -> {
                others.forEach(other -> site.network.block(other.name, holder.name));
                if (!oneQuestion) {
                    others.forEach(other -> site.network.block(holder.name, other.name));
                }
                site.controllers.forEach(c -> {
                    cut(site, c.name, holder.name);
                    c.start();
                });
            });
            long back = 8000 + Math.max(1000, site.timing().heartbeat().toMillis() * 3);
            at(
                    site,
                    back + site.timing().heartbeat().toMillis() * 3 / 2,
                    () -> others.forEach(other -> cut(site, holder.name, other.name)));
        });
    }

    private static void aLeaderIsDeposedAndDoesNotKnow(Site site) {
        if (site.controllers.size() < 2) {
            return;
        }
        at(site, UP, () -> {
            SimController old = site.journal.leader();
            SimController next = site.controllers.get(old == site.controllers.getFirst() ? 1 : 0);
            String holder = holder(site, Site.ADDRESS).name;
            cut(site, next.name, holder);
            if (old != null) {
                site.balancers.stream().filter(b -> !b.equals(holder)).forEach(b -> {
                    cut(site, old.name, b);
                    cut(site, holder, b);
                });
            }
            next.lead(site.journal.elect(next));
        });
    }

    private static void oneMemberConsentsAndOneDoesNot(Site site) {
        at(site, UP, () -> {
            SimHost holder = holder(site, Site.ADDRESS);
            List<String> others = new ArrayList<>(site.balancers);
            others.remove(holder.name);
            if (others.size() == 2) {
                cut(site, holder.name, others.get(0));
                site.controllers.forEach(c -> {
                    cut(site, c.name, holder.name);
                    cut(site, c.name, others.get(1));
                });
            }
        });
    }

    /// Frozen for longer than its lease, between the admission of the order and the first thing done for it.
    private static void aTargetFreezesBeforeItOpens(Site site) {
        long gap = site.timing().ttl().toMillis() * 2;
        at(site, UP, () -> {
            move(site, Site.PRIMARY);
            for (long millis = 1; millis < 3000; millis++) {
                at(
                        site,
                        millis,
                        () -> Site.DATABASES.stream()
                                .map(site::host)
                                .filter(Scripts::isAboutToOpen)
                                .forEach(target -> {
                                    target.machine.freeze();
                                    at(site, gap, target.machine::thaw);
                                }));
            }
        });
    }

    private static boolean isAboutToOpen(SimHost host) {
        SimAgent agent = host.agent();
        return agent != null
                && !host.machine.frozen()
                && agent.holder
                        .lease(Site.PRIMARY)
                        .filter(lease -> lease.liveAt(host.machine.now()))
                        .isPresent()
                && !host.kernel.live(Site.PRIMARY);
    }

    private static void anIsolatedAgentRestartsAgainAndAgain(Site site) {
        at(site, UP, () -> {
            SimHost holder = holder(site, Site.ADDRESS);
            isolate(site, holder);
            for (long turn = 1; turn < 30; turn++) {
                at(site, turn * 200, () -> {
                    holder.killAgent();
                    holder.startAgent();
                });
            }
        });
    }

    private static void freezesBeforeAWrite(Site site, long millis) {
        for (long turn = 0; turn < 3; turn++) {
            at(site, UP + turn * 9000, () -> {
                SimHost holder = holder(site, Site.ADDRESS);
                long first = millis * site.timing().ttl().toMillis() / 1500;
                isolate(site, holder);
                holder.machine.freeze();
                at(site, first, holder.machine::thaw);
                at(site, first + 3, holder.machine::freeze);
                at(site, 7000, () -> {
                    site.network.healAll();
                    holder.machine.thaw();
                });
            });
        }
    }

    private static void oneReplicaAcknowledgesAlone(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            ackers(site).stream().limit(1).forEach(first -> cut(site, primary.name, first));
            at(site, 3000, () -> {
                primary.powerOff();
                site.network.healAll();
            });
        });
    }

    /// No controller hears it for longer than the time after which a member leaves; the primary does all the time.
    /// Then it alone could acknowledge, and the primary dies.
    private static void oneThatHasLeftGoesOnAcknowledging(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            List<String> replicas = replicas(primary);
            site.controllers.forEach(c -> cut(site, c.name, replicas.getLast()));
            at(site, 14_000, () -> cut(site, primary.name, replicas.getFirst()));
            at(site, 16_000, primary::powerOff);
        });
    }

    /// No controller hears it, and just before that has been for long enough the other one is cut off from the primary:
    /// what it acknowledges now is nowhere else, though the other one's receiver has not noticed yet.
    private static void oneWithTheOnlyCopyIsAway(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            List<String> replicas = replicas(primary);
            site.controllers.forEach(c -> cut(site, c.name, replicas.getLast()));
            at(site, 9000, () -> cut(site, primary.name, replicas.getFirst()));
            at(site, 14_000, primary::powerOff);
        });
    }

    /// The better placed replica gets nothing from the primary, then the primary is gone. What the two
    /// replicas send each other takes its time.
    private static void thePreferredOneLags(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            List<String> replicas = new ArrayList<>(replicas(primary));
            replicas.sort(Comparator.comparingInt(r -> site.prefer.contains(r) ? site.prefer.indexOf(r) : 9));
            cut(site, primary.name, replicas.getFirst());
            at(site, 1500, () -> {
                site.network.slowStreams(replicas.getLast(), replicas.getFirst(), 600);
                primary.powerOff();
            });
        });
    }

    /// The replicas are cut off from the primary, and heard by the controllers.
    private static void somebodyTurnsSemiSyncOff(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            replicas(primary).forEach(r -> cut(site, primary.name, r));
            site.database(primary.name).waitForNobody();
            at(site, 2500, primary::powerOff);
        });
    }

    /// It was given while both replicas were frozen, and comes when they are back and the primary waits for them again;
    /// right then the primary is cut off from everybody but its clients.
    private static void theOrderToGoOnAloneIsLate(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            List<String> replicas = replicas(primary);
            replicas.forEach(r -> site.host(r).machine.freeze());
            at(site, 9000, () -> site.controllers.forEach(c -> site.network.slow(c.name, primary.name, 9000)));
            boolean[] done = new boolean[2];
            for (long millis = 9000; millis < 40_000; millis += 5) {
                at(site, millis, () -> {
                    PrimaryState state = site.primary();
                    boolean alone = state != null && state.alone();
                    if (alone && !done[0]) {
                        done[0] = true;
                        at(
                                site,
                                200,
                                () -> { // the order has left by then
                                    site.network.healAll();
                                    replicas.forEach(r -> site.host(r).machine.thaw());
                                });
                    }
                    SimDatabase database = site.database(primary.name);
                    if (done[0] && !done[1] && !alone && database.up() && !database.semiSync()) {
                        done[1] = true;
                        replicas.forEach(r -> cut(site, primary.name, r));
                        site.controllers.forEach(c -> cut(site, primary.name, c.name));
                    }
                });
            }
        });
    }

    private static List<String> replicas(SimHost primary) {
        return Site.DATABASES.stream().filter(d -> !d.equals(primary.name)).toList();
    }

    private static void relayLogsAreLost(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            slow(site);
            at(site, 4000, () -> {
                isolate(site, primary);
                Site.DATABASES.stream()
                        .filter(d -> !d.equals(primary.name))
                        .map(site::host)
                        .forEach(replica -> {
                            replica.killService();
                            at(site, 300, replica::startService);
                        });
            });
        });
    }

    private static void receivedAndNotApplied(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            slow(site);
            at(site, 4000, () -> isolate(site, primary));
        });
    }

    private static void slow(Site site) {
        Site.DATABASES.forEach(d -> site.database(d).replica.slowUntil(site.agenda.now() + 9 * Agenda.SECOND));
    }

    private static void thePrimaryRestartsInPlace(Site site) {
        for (long turn = 0; turn < 6; turn++) {
            at(site, UP + turn * 2500, () -> {
                SimHost primary = holder(site, Site.PRIMARY);
                primary.killService();
                at(site, 0, primary::startService);
            });
        }
    }

    private static void somebodyWritesOnAReplica(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            SimDatabase replica = site.database(primary.name.equals("db3") ? "db2" : "db3");
            replica.replica.stopReceiver();
            replica.append(new Row(replica.binlog().size() + 1L, replica.serverId, -1));
            at(site, 200, replica.host::killService);
            at(site, 900, replica.host::startService);
        });
    }

    private static void aBackupOfTheJournalIsRestored(Site site) {
        at(site, UP, () -> {
            Journaled backup = site.journal.journaled();
            SimController leader = site.journal.leader();
            move(site, Site.ADDRESS);
            at(site, 2000, () -> move(site, Site.PRIMARY));
            at(site, 6000, () -> {
                site.controllers.forEach(SimController::crash);
                site.journal.restore(backup);
                if (leader != null) {
                    at(site, 2000, leader::start);
                }
            });
        });
    }

    /// It takes longer than its budget; what undoes it does not.
    private static void theOrderToBlockComesAfterItsUndoing(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            site.controllers.forEach(c -> site.network.slow(c.name, primary.name, 4500));
            move(site, Site.PRIMARY);
            at(site, 1980, () -> site.controllers.forEach(c -> site.network.slow(c.name, primary.name, 0)));
        });
    }

    private static void oneThatServesReadsFallsBehind(Site site) {
        at(site, UP, () -> fallsBehind(site, holder(site, Site.READER).name, 90));
    }

    private static void everyReplicaFallsBehindForAMoment(Site site) {
        at(site, UP, () -> replicas(holder(site, Site.PRIMARY)).forEach(r -> fallsBehind(site, r, 10)));
    }

    private static void fallsBehind(Site site, String database, long seconds) {
        site.database(database).replica.slowUntil(site.agenda.now() + seconds * Agenda.SECOND);
    }

    /// Longer than its agent takes to look again.
    private static void theFirstReplicaIsSetUpBadly(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            site.database(replicas(primary).getFirst())
                    .findings(List.of(new Finding("LOG_SLAVE_UPDATES", Severity.BLOCKS, "OFF")));
            at(site, 6000, primary::powerOff);
        });
    }

    private static void aReplicaIsRebuilt(Site site) {
        at(site, UP, () -> rebuild(site, replicas(holder(site, Site.PRIMARY)).getLast()));
    }

    private static void rebuild(Site site, String host) {
        site.controllers.forEach(
                c -> c.ask(new OperatorRequest.Rebuild(Site.PRIMARY, host, null, null, Operators.TOKENS)));
    }

    private static void aDonorDiesInTheMiddle(Site site) {
        aReplicaIsRebuilt(site);
        boolean[] done = new boolean[1];
        for (long millis = UP; millis < 40_000; millis += 20) {
            at(
                    site,
                    millis,
                    () -> rebuild(site)
                            .filter(r -> r.phase() == Rebuild.Phase.COPYING && !done[0])
                            .ifPresent(r -> {
                                done[0] = true;
                                at(site, 250, site.host(String.valueOf(r.donor()))::powerOff);
                            }));
        }
    }

    private static Optional<Rebuild> rebuild(Site site) {
        return site.journal.journaled().operations().rebuild(Site.PRIMARY.group());
    }

    /// The other replica has been cut off from the primary for long.
    private static void theOnlyOneThatAcknowledgesIsRebuilt(Site site) {
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            cut(site, primary.name, replicas(primary).getFirst());
            at(site, 15_000, () -> rebuild(site, replicas(primary).getLast()));
        });
    }

    /// The other replica is cut off from the primary; the primary dies when the server of the one that is rebuilt has
    /// been stopped, and loses what that one acknowledged last.
    private static void theOneWithTheOnlyCopyIsRebuilt(Site site) {
        boolean[] done = new boolean[1];
        at(site, UP, () -> {
            SimHost primary = holder(site, Site.PRIMARY);
            String host = replicas(primary).getLast();
            cut(site, primary.name, replicas(primary).getFirst());
            at(site, 300, () -> rebuild(site, host));
            for (long millis = 300; millis < 25_000; millis += 5) {
                at(
                        site,
                        millis,
                        () -> rebuild(site)
                                .filter(r -> r.phase() == Rebuild.Phase.ADOPTING
                                        && !site.database(host).up()
                                        && !done[0])
                                .ifPresent(r -> {
                                    done[0] = true;
                                    primary.powerOff();
                                }));
            }
        });
    }

    private static void aHolderFreezesForAMoment(Site site) {
        at(site, UP, () -> {
            SimHost holder = holder(site, Site.ADDRESS);
            holder.machine.freeze();
            at(site, 1200, holder.machine::thaw);
        });
    }

    private static void everythingRestarts(Site site) {
        at(site, 11_000, () -> site.hosts().forEach(SimHost::powerOff));
    }
}
