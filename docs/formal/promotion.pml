/*
 * One database group: "no acknowledged write is lost by a promotion" (SAFETY.md S14, S20, and the floors of S2).
 *
 * README.md says what is modelled, what is left out and which line of the code each part stands for. `check` runs
 * it. Switches: NO_S14, NO_S14_LEAVE, NO_S14_LEAVE_CAUGHT_UP, NO_S14_JOIN, NO_S20, NO_FLOOR take one rule out;
 * REACH_* turn an event that must be possible into an error.
 *
 * The old primary is never fenced here, it may freeze and wake at any moment: what cuts it off is that nobody
 * acknowledges. Its writes are one sequence, so a position is a number. Nothing has to happen by any time.
 */

#ifndef WRITES
#define WRITES  3
#endif
#define MEMBERS 3               /* 0 is the primary of the epoch, 1 and 2 are replicas */
#define IN(m, set)  (((set) >> (m)) & 1)
#define ONLY(m)     (1 << (m))
#define HAS(m, w)   (position[m] >= (w))

/* ---- the servers ---- */
byte position[MEMBERS];         /* what a server has in its binary log (the primary) or has received */
byte acknowledged;              /* what clients were told */
bool waits = true;              /* the primary waits for an acknowledgement: semi-sync is on */
byte bar;                       /* its position when it began to, or when last a member left: who joins must have it */
bool receiver[MEMBERS];         /* the replica's receiver runs, from server 0 */
bool blocked[MEMBERS];          /* the primary's host rejects that replica, and its dump thread is ended */
byte underWay[MEMBERS];         /* the latest acknowledgement that the primary has not read yet */

/* ---- their agents ---- */
bool cutOff[MEMBERS];           /* durable floor: an order of the next epoch was accepted */
bool follow[MEMBERS];           /* an order to follow server 0 is under way, and may be repeated */

/* ---- the journal and the leader ---- */
byte ackers = 6;
byte promotable = 6;
bool alone;                     /* the primary commits without acknowledgements */
bool promoting;
byte told;                      /* members whose receiver is stopped and whose position is known */
byte promoted;                  /* 0 for nobody yet */
byte leaving;                   /* member that is on its way out of the ackers, 0 for none */
byte leftAt;                    /* the primary's position when its dump thread was ended */
bool leftAtKnown;

inline nothingLost() {
    assert(promoted == 0 || position[promoted] >= acknowledged)
}

/* ---- the primary ---- */

proctype Primary() {
    do
    :: d_step {
        position[0] < WRITES ->
        position[0]++;
        printf("primary: commits write %d\n", position[0])
    }
    :: d_step {                 /* any one acknowledgement is enough; commits before it are acknowledged too */
        waits && underWay[1] > acknowledged ->
        acknowledged = underWay[1];
        printf("primary: tells the client that write %d is safe, replica 1 has it\n", acknowledged);
        nothingLost()
    }
    :: d_step {
        waits && underWay[2] > acknowledged ->
        acknowledged = underWay[2];
        printf("primary: tells the client that write %d is safe, replica 2 has it\n", acknowledged);
        nothingLost()
    }
    :: d_step {
        !waits && position[0] > acknowledged ->
        acknowledged = position[0];
        printf("primary: tells the client that write %d is safe, asking nobody\n", acknowledged);
        nothingLost()
    }
    od
}

/* ---- a replica, its server and its agent ---- */

#ifdef NO_FLOOR
#define ACCEPTS(r)  true
#else
#define ACCEPTS(r)  (!cutOff[r])
#endif

proctype Replica(byte r) {
    do
    :: d_step {                 /* receives the next write and acknowledges it */
        receiver[r] && !blocked[r] && position[r] < position[0] ->
        position[r]++;
        underWay[r] = position[r];
        printf("replica %d: receives write %d\n", r, position[r])
    }
    :: d_step {                 /* its server restarts: only its agent starts the receiver again (S15) */
        receiver[r] ->
        receiver[r] = false;
        printf("replica %d: server restarts, receiver stopped\n", r)
    }
    :: d_step {
        follow[r] && !receiver[r] && promoted != r && ACCEPTS(r) ->
        receiver[r] = true;
        printf("replica %d: follows the primary\n", r)
    }
    :: d_step {                 /* Command.CutReceiver: answered with the position at which the receiver stopped */
        promoting && promoted == 0 && !IN(r, told) ->
        cutOff[r] = true;
        receiver[r] = false;
        told = told | ONLY(r);
        printf("replica %d: receiver stopped, has received %d\n", r, position[r])
    }
    od
}

/* ---- the leader ---- */

inline join(r) {
    d_step {                    /* journaled in ackers before the order to follow leaves */
        !promoting && leaving != r && !IN(r, ackers) ->
#ifndef NO_S14_JOIN
        ackers = ackers | ONLY(r);
#endif
        follow[r] = true;
        blocked[r] = false;
        underWay[r] = 0;
        printf("leader: journals replica %d as acker, tells it to follow\n", r)
    }
}

inline joined(r) {
    d_step {                    /* has all that the primary was seen to have since it waits and since the last member left */
        !promoting && leaving != r && follow[r] && !IN(r, promotable) && waits && receiver[r] && !blocked[r] &&
            position[r] >= bar ->
        ackers = ackers | ONLY(r);
        promotable = promotable | ONLY(r);
        alone = false;
        printf("leader: journals replica %d as promotable\n", r)
    }
}

inline leave(r) {
    d_step {                    /* out of promotable first */
        !promoting && leaving == 0 && IN(r, ackers) ->
        leaving = r;
        promotable = promotable & ~ONLY(r);
        follow[r] = false;
        printf("leader: journals replica %d as not promotable\n", r)
    }
}

/* The primary's agent ends the dump thread and blocks the replica's host; acknowledgements not yet read are lost. */
inline ended(r) {
    d_step {
        leaving == r && !leftAtKnown ->
        blocked[r] = true;
        underWay[r] = 0;
        leftAt = position[0];
        leftAtKnown = true;
        printf("primary's agent: replica %d is cut off at write %d\n", r, leftAt)
    }
}

#ifdef NO_S14_LEAVE_CAUGHT_UP
#define OTHERS_HAVE(r)  true
#else
#define OTHERS_HAVE(r)  ((IN(3 - (r), ackers) && HAS(3 - (r), leftAt)) || alone)
#endif

#ifdef NO_S14_LEAVE
#define MAY_LEAVE(r)    true
#else
#define MAY_LEAVE(r)    (leftAtKnown && OTHERS_HAVE(r))
#endif

inline left(r) {
    d_step {                    /* out of ackers when the primary cannot hear it, and another acker has it all */
        !promoting && leaving == r && MAY_LEAVE(r) ->
        ackers = ackers & ~ONLY(r);
        leaving = 0; leftAt = 0; leftAtKnown = false;
        bar = position[0];
        printf("leader: journals replica %d as no acker\n", r)
    }
}

#ifdef NO_S14
#define ALL_KNOWN   (told != 0)
#else
#define ALL_KNOWN   ((ackers & told) == ackers)
#endif

/* The most advanced of those whose position is known. */
inline promote(r) {
    d_step {
        promoting && promoted == 0 && ALL_KNOWN && IN(r, told) && IN(r, promotable) &&
            (!IN(3 - r, told) || position[r] >= position[3 - r]) ->
        promoted = r;
        printf("leader: promotes replica %d, which has %d, clients were told %d\n", r, position[r], acknowledged);
#ifdef REACH_PROMOTION
        assert(position[r] == 0 || acknowledged == 0);
#endif
        nothingLost()
    }
}

#ifdef NO_S20
#define MAY_STOP_WAITING    true
#else
#define MAY_STOP_WAITING    alone
#endif

proctype Leader() {
    do
    :: join(1)
    :: join(2)
    :: joined(1)
    :: joined(2)
    :: leave(1)
    :: leave(2)
    :: ended(1)
    :: ended(2)
    :: left(1)
    :: left(2)
    :: d_step {                 /* alone is journaled, with nobody promotable, before the primary stops waiting */
        !promoting && !alone ->
        alone = true;
        promotable = 0;
        printf("leader: journals that the primary runs alone\n")
    }
    :: d_step {
        waits && MAY_STOP_WAITING ->
        waits = false;
        bar = 0;
        printf("primary: waits for nobody\n")
    }
    :: d_step {
        !promoting && !waits ->
        waits = true;
        bar = position[0];
        printf("primary: waits for acknowledgements\n")
    }
    :: d_step {
        !promoting && !alone ->
        promoting = true;
        printf("leader: journals a promotion: ackers %d, promotable %d\n", ackers, promotable)
    }
    :: promote(1)
    :: promote(2)
    od
}

init {
    atomic {
        receiver[1] = true; receiver[2] = true;
        follow[1] = true; follow[2] = true;
        run Primary(); run Replica(1); run Replica(2); run Leader()
    }
}
