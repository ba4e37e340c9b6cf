/*
 * The life of one extent: a writer, R replicas, recoverers that may die, the control plane. What is checked, what is left out
 * and how to run it: ../README.md. Lengths count frames; messages may be delayed without bound, a replica may restart.
 */
#define R 3
#define A 2
#ifndef N
#define N 1            /* frames the writer has */
#endif
#define RECOVERIES 2
#define NONE 255

#ifdef FEWER_ANSWERS
#define NEEDED (R - A)
#else
#define NEEDED (R - A + 1)
#endif
#ifdef ACK_ONE_LESS
#define TOLD (A - 1)
#else
#define TOLD A
#endif

/* ---- replicas: what is on disk */
byte durable[R];       /* frames synced, a prefix of the writer's (W3 by construction) */
byte fence[R];         /* epoch of the last fence, 0 for none */

/* ---- messages under way */
byte appended[R];      /* durable by the writer's own appends: what the replica answers it */
byte sent;             /* frames sent to all replicas, each handles them in order at any time */
byte known[R];         /* durable length that the writer has heard of */

/* ---- writer */
byte acked;            /* frames acknowledged to producers */
bool writerDone;       /* it goes on elsewhere, or is dead */

/* ---- control plane: commands are atomic */
byte cpEpoch;          /* epoch that may seal: 0 the writer's, then recoveries' */
byte final = NONE;     /* W2: set once */

/* ---- ghosts */
byte bound = NONE;     /* W4: least length that a complete round of fences answered */

inline checkAck() {
    assert(final == NONE || acked <= final);   /* W1 */
    assert(bound == NONE || acked <= bound)    /* W4 */
}

inline seal(epoch, length) {
    if
    :: final == NONE && cpEpoch == epoch ->
        final = length;
        assert(acked <= final)                 /* W1 */
    :: else -> skip                            /* refused: sealed already, or the epoch is over (W2) */
    fi
}

/* How many replicas the writer knows to have k frames. */
inline countKnown(k, count) {
    count = 0;
    i = 0;
    do
    :: i < R -> count = count + (known[i] >= k -> 1 : 0); i++
    :: else -> break
    od
}

active proctype Writer() {
    byte i, n, count;
    n = 0;
    do
    :: atomic { !writerDone && n < N ->        /* send the next frame to all replicas */
        n++;
        sent = n }
    :: atomic { !writerDone && acked < n ->    /* an answer arrives at the quorum tracker */
        countKnown(acked + 1, count);
        i = 0;
        if
        :: count >= TOLD -> count = 0; acked++; checkAck()
        :: else -> count = 0
        fi }
    :: atomic { !writerDone && n > 0 ->        /* it leaves the extent at the acknowledged length */
        writerDone = true;
        seal(0, acked) }
    :: atomic { !writerDone -> writerDone = true; break }   /* it dies */
    :: writerDone -> break
    od
}

/* One replica and the way back to the writer. */
proctype Replica(byte r) {
    end:
    do
    :: atomic { durable[r] < sent && fence[r] == 0 -> durable[r]++; appended[r] = durable[r] }
    :: atomic { known[r] < appended[r] -> known[r] = appended[r] }
#ifdef FORGET_FENCE
    :: atomic { fence[r] != 0 -> fence[r] = 0 }   /* a restart that forgets */
#endif
    od
}

proctype Recoverer(byte epoch) {
    byte i, answers, length, holders;
    byte answer[R];
    bool answered[R];
    atomic {
        if
        :: final != NONE -> goto over
        :: else -> cpEpoch = (cpEpoch < epoch -> epoch : cpEpoch)
        fi
    }
    /* fences, in any order, to any replicas; some may never answer */
    do
    :: atomic { i = 0;
        do
        :: i < R && !answered[i] && fence[i] <= epoch -> break
        :: i < R -> i++                        /* not this one now, or never */
        :: else -> break
        od;
        if
        :: i < R -> fence[i] = epoch; answer[i] = durable[i]; answered[i] = true; answers++
        :: else -> skip
        fi;
        i = 0 }
    :: answers >= NEEDED -> break
    :: goto over                               /* the recoverer dies, or waits for ever */
    od;
    atomic {
#ifdef SHORTEST
        length = NONE;
#else
        length = 0;
#endif
        i = 0;
        do
        :: i < R ->
            if
#ifdef SHORTEST
            :: answered[i] && answer[i] < length -> length = answer[i]
#else
            :: answered[i] && answer[i] > length -> length = answer[i]
#endif
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        if
        :: bound == NONE || length < bound -> bound = length
        :: else -> skip
        fi;
        assert(acked <= bound)                 /* W4: whatever the writer acknowledges is in what was answered */
    }
    /* the tail goes to replicas that answered less, until A hold it */
    i = 0;
    do
    :: i < R ->
        atomic {
            if
            :: answered[i] && durable[i] < length && fence[i] == epoch -> durable[i] = length
            :: else -> skip
            fi;
            holders = holders + (answered[i] && durable[i] >= length -> 1 : 0);
            i++
        }
    :: i == R -> break
    :: goto over                               /* it dies in the middle */
    od;
    atomic {
        if
        :: holders >= A -> seal(epoch, length)
        :: else -> skip
        fi
    }
over:
    skip
}

init {
    byte k;
    atomic {
        do
        :: k < R -> run Replica(k); k++
        :: else -> break
        od;
        k = 1;
        do
        :: k <= RECOVERIES -> run Recoverer(k); k++
        :: else -> break
        od
    }
}
