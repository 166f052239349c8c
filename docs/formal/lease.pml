/*
 * One resource, three hosts, two controller leaders: "at most one host has a live lease" (SAFETY.md S1-S5).
 *
 * README.md says what is modelled, what is left out and which line of the code each part stands for. `check` runs
 * it. Switches: NO_* take one rule out (VARIANT goes with them), REACH_* turn an event that must be possible into an
 * error, LOSE lets one host lose its floors.
 *
 * Time is true time in ticks. Whatever ends by itself is a count-down: greater than 0 is "live" or "not yet over".
 * Nothing has to happen by any time: an agent or a leader that does nothing is one that is paused.
 */

#define HOSTS   3
#define EPOCHS  2               /* epochs 1 and 2: one move */
#ifndef VERSIONS
#define VERSIONS 2              /* of the circle, in one epoch */
#endif

#ifndef TTL
#define TTL     2
#endif
#ifndef WINDOW
#define WINDOW  1               /* authority window of a leader (S4) */
#endif
#define LIVE    (TTL + 1)       /* true length of a lease of ttl at the host with the slowest allowed clock */
#ifdef NO_DRIFT
#define LAPSE   TTL
#else
#define LAPSE   (TTL + 1)       /* TimingProfile.lapseAfter(ttl): the drift is in it */
#endif
#ifdef NO_S4_WAIT
#define TAKEOVER 0
#else
#define TAKEOVER (WINDOW + LAPSE)   /* LeaseGrantor.started */
#endif

#define NOBODY  3
#define IN(m, set)  (((set) >> (m)) & 1)
#define ONLY(m)     (1 << (m))
#define MAX(x, y)   ((x) > (y) -> (x) : (y))
#define MIN(x, y)   ((x) < (y) -> (x) : (y))

/* ---- agents: LeaseHolder.Standing of the one resource ---- */
typedef Host {
    unsigned epoch : 2;         /* durable floor: the highest epoch seen */
    unsigned released : 2;      /* durable floor */
    unsigned term : 2;          /* durable floor: the highest term seen */
    unsigned promised : 2;      /* durable: the epoch whose holder has this host's consent, 0 for none */
    unsigned promise : 4;       /* the promise is live */
    unsigned lease : 2;         /* epoch of the lease that was taken and not released, 0 for none */
    unsigned live : 4;          /* the kernel's element: while it lives this host answers for the resource */
    unsigned circle : 2         /* durable: version of the circle that this holder counts, 0 for none */
}
Host host[HOSTS];
unsigned consent0 : 4, consent1 : 4, consent2 : 4;  /* the answers that the holder has, as leases they are good for */

unsigned lost : 2 = NOBODY;     /* who has lost its floors: one host at most */

/* ---- what is under way; an answer is worth what is left of a lease that began when its question was sent (S1) ---- */
typedef Grant {
    unsigned left : 4;
    unsigned term : 2;
    unsigned circle : 2
}
Grant grant[EPOCHS + 1];        /* acknowledgement to the holder of that epoch */
typedef Take {
    unsigned left : 4;
    unsigned term : 2
}
Take take[EPOCHS + 1];          /* order to take that epoch */
unsigned taker1 : 2, taker2 : 2;    /* who is to take epoch 1, 2: journaled, so there is one of each */

/* ---- the journal ---- */
mtype = { TAKING, HELD, FREEING };
mtype phase = TAKING;
unsigned holder : 2 = 0;
unsigned epoch : 2 = 1;
unsigned version : 2;           /* of the circle of this epoch, 0 for none */
byte members[VERSIONS + 1];      /* by version: sets of hosts, as bits */
unsigned closers : 3;           /* the members that every circle that the holder may count contains */
unsigned confirmed : 2;         /* the highest epoch whose release was confirmed: Order.released */

/* ---- leaders ---- */
unsigned leader : 1;            /* who can commit; its term is leader + 1 */
unsigned lapse : 4;             /* of the leader: until then a lease may live (LeaseGrantor) */
unsigned authority : 4;         /* of leader 0 after it was deposed: what is left of its window */
/* what leader 0 believed when it was deposed */
mtype oldPhase;
unsigned oldEpoch : 2;
unsigned oldVersion : 2;

#define TAKER(e)    ((e) == 1 -> taker1 : taker2)
#define LIVING      ((host[0].live > 0) + (host[1].live > 0) + (host[2].live > 0))
#define CONSENT(m)  ((m) == 0 -> consent0 : ((m) == 1 -> consent1 : consent2))
#define WORTH(m, set)   (IN(m, set) -> CONSENT(m) : LIVE)   /* a member outside the circle does not count */
#define WORST(set)  MIN(WORTH(0, set), MIN(WORTH(1, set), WORTH(2, set)))

inline oneHolder() {
    assert(LIVING <= 1)
}

#ifdef NO_S3_MUTE
#define MUTE(m) false
#else
#define MUTE(m) (lost == (m) && host[m].promise > 0)
#endif
#ifdef NO_S3_SILENCE
#define CONSENTS(m) (!MUTE(m))
#else
#define CONSENTS(m) (lost != (m))
#endif

inline forgetConsents() {
    consent0 = 0; consent1 = 0; consent2 = 0
}

/* ---- the agent of host h ---- */

/* LeaseHolder.acknowledged */
inline acknowledged(e) {
    atomic {
        grant[e].left > 0 && host[h].lease == e && host[h].live > 0 && grant[e].term >= host[h].term ->
        printf("host %d: acknowledgement of term %d renews epoch %d, %d left, circle %d\n",
            h, grant[e].term, e, grant[e].left, grant[e].circle);
        host[h].term = grant[e].term;
#ifdef NO_S1
        host[h].live = LIVE;
#else
        host[h].live = MAX(host[h].live, grant[e].left);
#endif
        if
        :: grant[e].circle > host[h].circle && e == epoch ->
            host[h].circle = grant[e].circle;
            consent0 = (IN(0, members[host[h].circle]) -> consent0 : 0);
            consent1 = (IN(1, members[host[h].circle]) -> consent1 : 0);
            consent2 = (IN(2, members[host[h].circle]) -> consent2 : 0)
        :: else
        fi;
        oneHolder()
    }
}

/* LeaseHolder.ordered and take */
inline ordered(e) {
    atomic {
        take[e].left > 0 && TAKER(e) == h &&
            take[e].term >= host[h].term && e >= host[h].epoch && e > host[h].released && !MUTE(h) &&
            !(host[h].promise > 0 && host[h].promised < e && host[h].promised > confirmed) ->
        printf("host %d: takes epoch %d by an order of term %d, %d left\n", h, e, take[e].term, take[e].left);
        host[h].term = take[e].term;
        if
        :: host[h].lease == e -> skip                       /* a repeated order */
        :: else ->
            host[h].circle = 0;
            forgetConsents()
        fi;
        host[h].epoch = e;
        host[h].lease = e;
        host[h].promise = 0;
        host[h].promised = 0;
#ifdef NO_S2
        host[h].live = LIVE;
#else
        host[h].live = MAX(host[h].live, take[e].left);
#endif
        oneHolder()
    }
}

/* A question of the holder x arrives at this host, is answered, and the answer arrives: LeaseHolder.consent. */
inline consent(x) {
    atomic {
        x != h && host[x].lease == epoch && host[x].live > 0 && host[x].circle > 0 &&
            IN(h, members[host[x].circle]) &&
            epoch >= host[h].epoch && epoch > host[h].released && host[h].lease == 0 && CONSENTS(h) ->
        printf("host %d: consents to host %d, epoch %d\n", h, x, epoch);
        host[h].term = MAX(host[h].term, host[x].term);
        host[h].epoch = epoch;
        host[h].promised = epoch;
        host[h].promise = MAX(host[h].promise, LAPSE);
        if
        :: h == 0 -> consent0 = LIVE
        :: h == 1 -> consent1 = LIVE
        :: h == 2 -> consent2 = LIVE
        fi
    }
}

/* LeaseHolder.consented and alone */
inline renewedByConsent() {
    atomic {
        host[h].lease == epoch && host[h].live > 0 && host[h].circle > 0 &&
            WORST(members[host[h].circle]) > host[h].live ->
        host[h].live = WORST(members[host[h].circle]);
        printf("host %d: lives on consent, epoch %d, %d left\n", h, epoch, host[h].live);
#ifdef REACH_CONSENT
        assert(lapse > 0 || members[host[h].circle] == 0);
#endif
        oneHolder()
    }
}

/* Told to, or its lease is over, or its service died: kernel element, floor, word (S9). LeaseHolder.released */
inline release() {
    atomic {
        host[h].lease > 0 ->
        printf("host %d: releases epoch %d\n", h, host[h].lease);
        host[h].released = host[h].lease;
        grant[host[h].lease].left = 0; grant[host[h].lease].term = 0; grant[host[h].lease].circle = 0;
        host[h].lease = 0;
        host[h].live = 0;
        host[h].circle = 0;
        forgetConsents()
    }
}

/* What answers a heartbeat of an earlier run of the agent is not counted (LeaseHolder.sent is empty). */
inline underWayIsLost() {
#ifndef NO_S2
    if
    :: taker1 == h -> grant[1].left = 0; take[1].left = 0
    :: else
    fi;
    if
    :: taker2 == h -> grant[2].left = 0; take[2].left = 0
    :: else
    fi
#else
    skip
#endif
}

/* The agent starts again; a live kernel element is adopted. Acknowledgements of earlier heartbeats are not counted. */
inline restart(hostToo) {
    atomic {
        !MUTE(h) ->
        printf("host %d: restarts, host too: %d\n", h, hostToo);
        if
        :: hostToo || host[h].live == 0 ->
            host[h].live = 0; host[h].lease = 0; host[h].circle = 0
        :: else
        fi;
        if
        :: host[h].lease > 0 -> forgetConsents()
        :: else
        fi;
#ifdef NO_S3
        host[h].epoch = 1; host[h].released = 0; host[h].term = 1; host[h].promised = 0; host[h].promise = 0;
#endif
#ifdef NO_S3_PROMISE
        host[h].promised = 0; host[h].promise = 0;
#endif
        host[h].promise = (host[h].promised > 0 -> LAPSE : 0);
        underWayIsLost()
    }
}

/* The agent starts without its floors (disk lost): mute for LAPSE, then heard again, but it consents to nothing. */
inline loseFloors() {
    atomic {
        lost == NOBODY ->
        printf("host %d: restarts without its floors\n", h);
        lost = h;
        host[h].epoch = 1; host[h].released = 0; host[h].term = 1; host[h].promised = 0;
        host[h].promise = LAPSE;                            /* of a mute host: how long it stays mute */
        host[h].lease = 0; host[h].circle = 0;              /* what the kernel enforces runs out by itself */
        underWayIsLost()
    }
}

proctype Agent(byte h) {
    do
    :: acknowledged(1)
    :: acknowledged(2)
    :: ordered(1)
    :: ordered(2)
    :: consent(0)
    :: consent(1)
    :: consent(2)
    :: renewedByConsent()
    :: release()
    :: restart(false)
    :: restart(true)
#ifdef LOSE
    :: loseFloors()
#endif
    od
}

/* ---- the leader of the moment ---- */

inline clearMembers() {
    members[1] = 0;
    members[2] = 0;
#if VERSIONS > 2
    members[3] = 0
#endif
}

inline granted() {
    lapse = MAX(lapse, LAPSE)
}

/* A take answers a heartbeat that was just sent: an older one is worth less at its host, and counts longer here. */
inline sendTake() {
    atomic {
        phase == TAKING ->
        take[epoch].left = LIVE;
        take[epoch].term = leader + 1;
        granted();
        printf("leader %d: orders host %d to take epoch %d\n", leader, holder, epoch)
    }
}

inline sendGrant() {
    atomic {
        phase == HELD && host[holder].lease == epoch && host[holder].live > 0 ->
        grant[epoch].left = LIVE;
        grant[epoch].term = leader + 1;
        grant[epoch].circle = version;
        granted();
        printf("leader %d: acknowledges host %d, epoch %d, circle %d\n", leader, holder, epoch, version)
    }
}

inline confirm() {
    atomic {
        phase == TAKING && host[holder].lease == epoch && epoch < EPOCHS ->
        phase = HELD;
        printf("leader %d: journals that host %d holds epoch %d\n", leader, holder, epoch)
    }
}

inline firstCircle(set) {
    atomic {
        phase == HELD && version == 0 && !IN(holder, set) ->
        version = 1;
        members[1] = set;
        closers = set;
        printf("leader %d: journals circle 1 = %d\n", leader, set)
    }
}

inline removeMember(m) {
    atomic {
        phase == HELD && version > 0 && version < VERSIONS && IN(m, members[version]) ->
        members[version + 1] = members[version] & ~ONLY(m);
        version++;
        closers = closers & ~ONLY(m);
        printf("leader %d: journals circle %d without host %d\n", leader, version, m)
    }
}

inline addMember(m) {
    atomic {
        phase == HELD && version > 0 && version < VERSIONS && m != holder && !IN(m, members[version]) ->
        members[version + 1] = members[version] | ONLY(m);
        version++;
#ifdef NO_S5_ADDITION
        closers = closers | ONLY(m);
#endif
        printf("leader %d: journals circle %d with host %d\n", leader, version, m)
    }
}

/* The holder's report says that it counts the latest circle, durably. */
inline countsLatest() {
    atomic {
        phase == HELD && version > 0 && host[holder].lease == epoch && host[holder].circle == version &&
            closers != members[version] ->
        closers = members[version];
#ifndef NO_S5_WAIT
        granted();              /* what the holder had by an older circle lives on for up to ttl */
#endif
        printf("leader %d: journals that circle %d counts\n", leader, version)
    }
}

inline suspect() {
    atomic {
        phase != FREEING && epoch < EPOCHS ->
        phase = FREEING;
        printf("leader %d: journals that epoch %d is to be freed\n", leader, epoch)
    }
}

/* Command.CloseEpoch reaches its member. */
inline close(m) {
    atomic {
        phase == FREEING && host[m].term <= leader + 1 && IN(m, closers) && host[m].epoch <= epoch && !MUTE(m) ->
        host[m].epoch = epoch + 1;
        printf("host %d: epoch %d is closed\n", m, epoch)
    }
}

#define CLOSED(m)   (IN(m, closers) && host[m].epoch > epoch && host[m].promise == 0)
#ifdef NO_S5
#define GONE    (lapse == 0)
#else
#define GONE    (lapse == 0 && (version == 0 || CLOSED(0) || CLOSED(1) || CLOSED(2)))
#endif
#define RELEASED    (host[holder].released >= epoch)

/* The old holder is gone for certain: the next epoch is journaled for m. */
inline give(m) {
    atomic {
        phase == FREEING && (RELEASED || GONE) ->
#ifndef VARIANT
        assert(LIVING == 0);    /* stronger than "one holder", and why old circles need not be remembered */
#endif
#ifdef REACH_CLOSED
        assert(RELEASED || host[holder].circle == 0 || holder == m);
#endif
        confirmed = (RELEASED -> epoch : confirmed);
        epoch++;
        holder = m;
        taker2 = m;
        phase = TAKING;
        version = 0; clearMembers(); closers = 0;
        printf("leader %d: journals epoch %d for host %d\n", leader, epoch, m)
    }
}

/* Another leader is elected: term 2. It does not know what the old one granted (S4). */
inline depose() {
    atomic {
        leader == 0 ->
        oldPhase = phase; oldEpoch = epoch; oldVersion = version;
        leader = 1;
        authority = WINDOW;
        lapse = TAKEOVER;
        printf("leader 1: elected\n")
    }
}

proctype Leader() {
    do
    :: sendTake()
    :: sendGrant()
    :: confirm()
    :: firstCircle(6)
    :: firstCircle(2)       /* {2} alone is the same by symmetry */
    :: firstCircle(0)
    :: removeMember(1)
    :: removeMember(2)
    :: addMember(1)
    :: addMember(2)
    :: countsLatest()
    :: suspect()
    :: close(1)
    :: close(2)
    :: give(0)
    :: give(1)
    :: give(2)
    :: depose()
    od
}

/* ---- the deposed leader: it goes on as it knew things, whenever it wakes ---- */

#ifdef NO_S4
#define MAY_GRANT   (leader == 1)
#else
#define MAY_GRANT   (leader == 1 && authority > 0)
#endif

proctype Deposed() {
    do
    :: atomic {
        MAY_GRANT && oldPhase == TAKING ->
        take[oldEpoch].left = LIVE;
        take[oldEpoch].term = 1;
        printf("deposed leader: orders host %d to take epoch %d\n", TAKER(oldEpoch), oldEpoch)
    }
    :: atomic {
        MAY_GRANT && oldPhase == HELD && host[TAKER(oldEpoch)].lease == oldEpoch && host[TAKER(oldEpoch)].live > 0 ->
        grant[oldEpoch].left = LIVE;
        grant[oldEpoch].term = 1;
        grant[oldEpoch].circle = (oldEpoch == epoch -> oldVersion : 0);
        printf("deposed leader: acknowledges host %d, epoch %d, circle %d\n",
            TAKER(oldEpoch), oldEpoch, grant[oldEpoch].circle)
    }
    od
}

/* ---- time ---- */

#define DOWN(x) x = (x > 0 -> x - 1 : 0)

inline hostTick(x) {
    DOWN(host[x].promise);
    DOWN(host[x].live)
}

inline messageTick(e) {
#ifndef NO_S1
    DOWN(grant[e].left);
    if
    :: grant[e].left == 0 -> grant[e].term = 0; grant[e].circle = 0
    :: else
    fi;
#endif
#ifndef NO_S2
    DOWN(take[e].left);
    if
    :: take[e].left == 0 -> take[e].term = 0
    :: else
    fi
#endif
}

proctype Time() {
    do
    :: d_step {
        hostTick(0); hostTick(1); hostTick(2);
        DOWN(consent0); DOWN(consent1); DOWN(consent2);
        messageTick(1); messageTick(2);
        DOWN(lapse); DOWN(authority);
#ifndef VARIANT
        if
        :: authority == 0 && leader == 1 -> /* nothing that it knew can have an effect any more */
            oldPhase = FREEING; oldEpoch = 0; oldVersion = 0;
            if
            :: grant[1].left == 0 && grant[2].left == 0 && take[1].left == 0 && take[2].left == 0 ->
                host[0].term = 2; host[1].term = 2; host[2].term = 2    /* nothing of term 1 is under way */
            :: else
            fi
        :: else
        fi;
        if
        :: LIVING == 0 && phase != TAKING && oldPhase != TAKING && take[1].left == 0 -> forgetConsents()
        :: else
        fi;
#endif
        printf("tick\n")
    }
    od
}

init {
    atomic {
        taker2 = NOBODY;
        host[0].epoch = 1; host[1].epoch = 1; host[2].epoch = 1;    /* no message is older than epoch 1, term 1 */
        host[0].term = 1; host[1].term = 1; host[2].term = 1;
        oldPhase = FREEING;
        run Agent(0); run Agent(1); run Agent(2);
        run Leader(); run Deposed(); run Time()
    }
}
