/*
 * The commit protocol of the engine as a model for spin: two workers, two tasks (a map, and a reduce that reads it), a coordinator that
 * crashes once or is taken for dead while it lives, a backup, and faults of workers. Names of invariants are those of invariants.ts.
 *
 * Messages are what may be delivered at any time after they were sent: they get lost with a coordinator, come late, in any order. All runs
 * are finite, and progress means that none ends before the job is published.
 *
 * What keeps the search small: what nothing refers to any more is forgotten at once (tidy), and processes do not end but wait for ever
 * (`end`), as the orders in which they could end would multiply everything. Without both a worker's fault was too much for 6 GB.
 *
 * Mutations, each of which has to break an invariant: NO_GENERATION_CHECK, NO_EPOCH_FENCE, ACK_BEFORE_FLUSH, NO_SECOND_TRY.
 */
#define WORKERS 2
#define TASKS 2
#define MAP 0
#define REDUCE 1
#define LIVES 2
/* Attempts are numbered from 1; 0 is none. A number is used again when nothing speaks of its attempt any more. */
#define ATTEMPTS 8
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef BACKUPS
#define BACKUPS 1
#endif

#define bit_of(a) (1 << (a))
#define in(set, a) (((set) & bit_of(a)) != 0)
#define of(c, t) ((c) * TASKS + (t))

/* One event for every attempt there may be. */
#define FOR_EACH_ATTEMPT(event) event(1) event(2) event(3) event(4) event(5) event(6) event(7)
#define FOR_EACH_WORKER(event) event(0) event(1)

/* ── invariants, by the names of the simulation; false where one is broken ── */
bool one_commit_per_generation = true;
bool acknowledged_is_durable = true;
bool no_under_count = true;
bool same_manifest = true;
bool progress = true;

#define holds(invariant, condition) invariant = (condition); assert(invariant)

/* ── attempts ── */
mtype = { SENT, WAITING, WORKING, ENDED, OVER };
mtype = { DONE, LOST };
mtype = { COMMITTED, DISCARDED };

mtype place[ATTEMPTS];      /* SENT: the assignment is under way; WAITING: for an input that is made anew; ENDED: without verdict yet */
mtype reported[ATTEMPTS];   /* how it ended, sent until it is answered; LOST: its input could not be read */
bit task_of[ATTEMPTS];
bit worker_of[ATTEMPTS];
bit term_of[ATTEMPTS];
byte generation_of[ATTEMPTS];
byte read_of[ATTEMPTS];     /* a reduce: 1 + the generation of the map it has read, or could not read */
bool output[ATTEMPTS];      /* what it made is there */
mtype told[ATTEMPTS];       /* a verdict on its way to the worker */
byte hold[WORKERS];         /* what its thread is at */
bool gone[WORKERS];         /* for good */
bit link[WORKERS];          /* the coordinator it is connected to: one at a time, and never again to the first */

/* ── the StateStore: what is written, and what of it is on disk ── */
bit term;
byte generation[TASKS];
byte winner[TASKS];
bool publishing;
byte flushed_generation[TASKS];
byte flushed_winner[TASKS];
bool flushed_publishing;
#define is_flushed(t) (flushed_generation[t] == generation[t] && flushed_winner[t] == winner[t])
#define all_flushed (is_flushed(MAP) && is_flushed(REDUCE) && flushed_publishing == publishing)

/* ── the output store ── */
byte manifest;              /* the reduce attempt it names; written last */
#define published (manifest != 0)

/* ── what was ever committed, for the invariants ── */
bool committed[TASKS * 4];  /* task, generation */
byte durable;               /* set of attempts that may be told of it */

/* ── the memory of a coordinator ── */
mtype = { READY, RUNNING, STANDS, REOPENING };
bool alive[LIVES];
mtype state[LIVES * TASKS];
byte known_generation[LIVES * TASKS];
byte known_winner[LIVES * TASKS];
byte live[LIVES];           /* sets of attempts: leased or being decided */
byte to_commit[LIVES];      /*   commits sent to the store, not yet written */
byte written[LIVES];        /*   answered by the store */
bool to_reopen[LIVES];      /* the map's next generation: sent, written */
bool reopened[LIVES];
bool to_publish[LIVES];
bool leads_out[LIVES];      /* its phase is publishing */
byte plan[LIVES];           /* what it has read to publish */

byte faults = FAULTS;
byte backups = BACKUPS;
bool restarted;

#ifdef NO_EPOCH_FENCE
#define fenced(c) false
#else
#define fenced(c) (term != (c))
#endif

#ifdef NO_GENERATION_CHECK
#define same_generation(a, current) true
#else
#define same_generation(a, current) (generation_of[a] == (current))
#endif

#ifdef NO_SECOND_TRY
#define SECOND_TRY(c, a) skip
#else
#define SECOND_TRY(c, a) requeue(c, task_of[a])
#endif

#ifdef ACK_BEFORE_FLUSH
#define may_answer(t) true
#else
#define may_answer(t) is_flushed(t)
#endif

#define may_hear(a) ((a) != 0 && place[a] != OVER -> bit_of(a) : 0)

inline flush() {
  flushed_generation[MAP] = generation[MAP];
  flushed_generation[REDUCE] = generation[REDUCE];
  flushed_winner[MAP] = winner[MAP];
  flushed_winner[REDUCE] = winner[REDUCE];
  flushed_publishing = publishing;
  durable = durable | may_hear(winner[MAP]) | may_hear(winner[REDUCE]);
}

/* One that waits for an input does not keep its worker from making it. */
#define takes_room(c, a, w) (in(live[c], a) && worker_of[a] == (w) && place[a] != WAITING)
#define has_room(c, w) (!gone[w] && link[w] == (c) && !takes_room(c, 1, w) && !takes_room(c, 2, w) && !takes_room(c, 3, w) && \
  !takes_room(c, 4, w) && !takes_room(c, 5, w) && !takes_room(c, 6, w) && !takes_room(c, 7, w))

/* The first number that is free. */
#define number (place[1] == 0 -> 1 : (place[2] == 0 -> 2 : (place[3] == 0 -> 3 : (place[4] == 0 -> 4 : (place[5] == 0 -> 5 : (place[6] == 0 -> 6 : 7))))))

inline assign(c, t, w) {
  n = number;
  assert(place[n] == 0);
  place[n] = SENT;
  task_of[n] = t;
  worker_of[n] = w;
  term_of[n] = c;
  generation_of[n] = known_generation[of(c, t)];
  live[c] = live[c] | bit_of(n);
  state[of(c, t)] = RUNNING;
  n = 0
}

/* Number of live attempts of a task. */
inline count_live(c, t, n) {
  n = 0;
  for (j : 1 .. ATTEMPTS - 1) {
    if
    :: in(live[c], j) && task_of[j] == t -> n++
    :: else
    fi
  }
  j = 0
}

inline requeue(c, t) {
  count_live(c, t, n);
  if
  :: n == 0 && state[of(c, t)] == RUNNING -> state[of(c, t)] = READY
  :: else
  fi;
  n = 0
}

#define drop(c, a) live[c] = live[c] & ~bit_of(a)

/* One of an earlier term that may still commit. */
#define adoptable(c, a) (term_of[a] < (c) && same_generation(a, known_generation[of(c, task_of[a])]) && \
  (state[of(c, task_of[a])] == READY || state[of(c, task_of[a])] == RUNNING))
#define wins(c, a) (known_winner[of(c, task_of[a])] == (a) && \
  (state[of(c, task_of[a])] == STANDS || state[of(c, task_of[a])] == REOPENING))
#define runs(c) (alive[c] && !to_publish[c] && !leads_out[c])
/* One that has been overtaken may believe what it likes; that it gives out more would only make the model larger. */
#define leads(c) (runs(c) && term == (c))

/* A verdict for one that is gone reaches nobody. */
inline tell(a, verdict) {
  if
  :: place[a] == OVER -> reported[a] = 0
  :: else -> told[a] = verdict
  fi
}

/* A report arrives, for the first time or again. */
inline report(c, a) {
  if
  :: !in(live[c], a) && !leads_out[c] && !to_publish[c] && adoptable(c, a) ->
       live[c] = live[c] | bit_of(a);
       state[of(c, task_of[a])] = RUNNING
  :: else
  fi;
  if
  :: !in(live[c], a) && wins(c, a) -> tell(a, COMMITTED)
  :: !in(live[c], a) && !wins(c, a) -> tell(a, DISCARDED)
  :: in(live[c], a) && !runs(c) -> drop(c, a); tell(a, DISCARDED)
  :: in(live[c], a) && runs(c) && reported[a] == DONE -> to_commit[c] = to_commit[c] | bit_of(a)
  :: in(live[c], a) && runs(c) && reported[a] == LOST ->
       drop(c, a);
       tell(a, DISCARDED);
       requeue(c, REDUCE);
       if
       :: state[of(c, MAP)] == STANDS && known_generation[of(c, MAP)] + 1 == read_of[a] ->
            state[of(c, MAP)] = REOPENING;
            to_reopen[c] = true
       :: else
       fi
  fi
}

/* The store compares and sets. */
inline commit(c, a) {
  to_commit[c] = to_commit[c] & ~bit_of(a);
  if
  :: fenced(c) -> alive[c] = false
  :: else ->
       written[c] = written[c] | bit_of(a);
       if
       :: same_generation(a, generation[task_of[a]]) && winner[task_of[a]] == 0 ->
            holds(one_commit_per_generation, !committed[task_of[a] * 4 + generation_of[a]]);
            committed[task_of[a] * 4 + generation_of[a]] = true;
            winner[task_of[a]] = a
       :: else
       fi
  fi
}

/* What was written and not flushed never was. */
#define UNDO(t) if :: winner[t] != 0 && winner[t] != flushed_winner[t] -> committed[(t) * 4 + generation_of[winner[t]]] = false :: else fi; \
  winner[t] = flushed_winner[t];

/* What stands decides. */
inline decided(c, a) {
  written[c] = written[c] & ~bit_of(a);
  drop(c, a);
  if
  :: link[worker_of[a]] == c && winner[task_of[a]] == a -> tell(a, COMMITTED)
  :: link[worker_of[a]] == c && winner[task_of[a]] != a -> tell(a, DISCARDED)
  :: else
  fi;
  if
  :: winner[task_of[a]] == 0 || generation[task_of[a]] != generation_of[a] -> requeue(c, task_of[a])
  :: else ->
       if
       :: known_generation[of(c, task_of[a])] == generation_of[a] && state[of(c, task_of[a])] != STANDS && state[of(c, task_of[a])] != REOPENING ->
            state[of(c, task_of[a])] = STANDS;
            known_winner[of(c, task_of[a])] = winner[task_of[a]]
       :: else
       fi
  fi
}

/* Numbers that nothing refers to any more are free; all that they say is forgotten, as it would only tell apart what is the same. */
#define is_free(a) (place[a] == OVER && reported[a] == 0 && told[a] == 0 && !in(live[0] | live[1] | to_commit[0] | to_commit[1] | written[0] | written[1], a) && \
  winner[task_of[a]] != a && flushed_winner[task_of[a]] != a && known_winner[of(0, task_of[a])] != a && known_winner[of(1, task_of[a])] != a && \
  plan[0] != a && plan[1] != a && manifest != a)
#define FREE(a) if :: is_free(a) -> \
  place[a] = 0; task_of[a] = 0; worker_of[a] = 0; term_of[a] = 0; generation_of[a] = 0; read_of[a] = 0; output[a] = false :: else fi;
#define FORGET(c) if :: !alive[c] -> \
  state[of(c, MAP)] = 0; state[of(c, REDUCE)] = 0; known_generation[of(c, MAP)] = 0; known_generation[of(c, REDUCE)] = 0; \
  known_winner[of(c, MAP)] = 0; known_winner[of(c, REDUCE)] = 0; live[c] = 0; to_commit[c] = 0; written[c] = 0; to_reopen[c] = false; \
  reopened[c] = false; to_publish[c] = false; leads_out[c] = false; plan[c] = 0 :: else fi;
inline tidy() {
  d_step { FORGET(0) FORGET(1) FOR_EACH_ATTEMPT(FREE) skip }
}

inline load(c) {
  known_generation[of(c, MAP)] = generation[MAP];
  known_generation[of(c, REDUCE)] = generation[REDUCE];
  known_winner[of(c, MAP)] = winner[MAP];
  known_winner[of(c, REDUCE)] = winner[REDUCE];
  state[of(c, MAP)] = (winner[MAP] -> STANDS : READY);
  state[of(c, REDUCE)] = (winner[REDUCE] -> STANDS : READY);
  leads_out[c] = publishing;
  alive[c] = true
}

#define none_yet (place[1] == 0 && place[2] == 0 && place[3] == 0 && place[4] == 0 && place[5] == 0 && place[6] == 0 && place[7] == 0)

/* Gives out a task whose inputs stand. */
#define GIVE_MAP(w) :: atomic { leads(c) && state[of(c, MAP)] == READY && has_room(c, w) && \
  (w == 0 || gone[0] || link[0] != link[1] || !none_yet) -> assign(c, MAP, w); tidy() } /* either worker may be the first: one of both ways is enough */
#define GIVE_REDUCE(w) :: atomic { leads(c) && state[of(c, MAP)] == STANDS && \
  state[of(c, REDUCE)] == READY && has_room(c, w) -> assign(c, REDUCE, w); tidy() }
/* A second attempt beside one that runs. */
#define GIVE_BACKUP(w) GIVE_BACKUP_OF(MAP, w) GIVE_BACKUP_OF(REDUCE, w)
#define GIVE_BACKUP_OF(t, w) :: atomic { leads(c) && backups > 0 && state[of(c, t)] == RUNNING && has_room(c, w) -> \
  backups--; count_live(c, t, n); if :: n == 1 -> assign(c, t, w) :: else fi; n = 0; tidy() }

/* One that hears of attempts of a later term is over itself and says nothing. */
#define HEAR_REPORT(a) :: atomic { alive[c] && link[worker_of[a]] == c && term_of[a] <= c && reported[a] != 0 && told[a] == 0 && !in(to_commit[c], a) && !in(written[c], a) -> report(c, a); tidy() }
/* What a heartbeat or a hello names and it does not know is taken up or ended. */
#define HEAR_OF(a) :: atomic { alive[c] && link[worker_of[a]] == c && term_of[a] <= c && (place[a] == WORKING || place[a] == WAITING) && told[a] == 0 && !in(live[c], a) -> \
  if :: runs(c) && adoptable(c, a) -> live[c] = live[c] | bit_of(a); state[of(c, task_of[a])] = RUNNING \
     :: else -> told[a] = DISCARDED fi; tidy() }

#define WRITE_COMMIT(a) :: atomic { alive[c] && in(to_commit[c], a) -> commit(c, a); tidy() }
#define ANSWER_COMMIT(a) :: atomic { alive[c] && in(written[c], a) && may_answer(task_of[a]) -> decided(c, a); tidy() }

/* The lease of an attempt ends although its worker lives: that was stopped, or not heard. */
#define END_LEASE(a) :: atomic { runs(c) && faults > 0 && is_leased(c, a) && place[a] != OVER -> faults--; drop(c, a); requeue(c, task_of[a]); tidy() }
/* That of one whose worker no longer names it: gone, never reached, or told by another coordinator that it is over. */
#define NOTICE_DEATH(a) :: atomic { runs(c) && is_leased(c, a) && place[a] == OVER -> drop(c, a); SECOND_TRY(c, a); tidy() }
#define is_leased(c, a) (in(live[c], a) && !in(to_commit[c], a) && !in(written[c], a))

proctype Coordinator(bit c) {
  byte n;
  byte j;
end:
  do
  /* It learns that another has taken over. */
  :: atomic { alive[c] && term != c -> alive[c] = false; tidy() }
  FOR_EACH_WORKER(GIVE_MAP)
  FOR_EACH_WORKER(GIVE_REDUCE)
  FOR_EACH_WORKER(GIVE_BACKUP)
  FOR_EACH_ATTEMPT(HEAR_REPORT)
  FOR_EACH_ATTEMPT(HEAR_OF)
  FOR_EACH_ATTEMPT(WRITE_COMMIT)
  FOR_EACH_ATTEMPT(ANSWER_COMMIT)
  FOR_EACH_ATTEMPT(END_LEASE)
  FOR_EACH_ATTEMPT(NOTICE_DEATH)
  :: atomic { alive[c] && to_reopen[c] ->
       to_reopen[c] = false;
       if
       :: fenced(c) -> alive[c] = false
       :: else ->
            reopened[c] = true;
            if
            :: generation[MAP] == known_generation[of(c, MAP)] -> generation[MAP]++; winner[MAP] = 0
            :: else
            fi
       fi; tidy() }
  :: atomic { alive[c] && reopened[c] && may_answer(MAP) ->
       reopened[c] = false;
       known_generation[of(c, MAP)]++;
       known_winner[of(c, MAP)] = 0;
       state[of(c, MAP)] = READY; tidy() }
  /* All is committed: the phase first; then what is published is read, and the manifest written last. */
  :: atomic { runs(c) && state[of(c, MAP)] == STANDS && state[of(c, REDUCE)] == STANDS -> to_publish[c] = true; tidy() }
  :: atomic { alive[c] && to_publish[c] && !leads_out[c] ->
       if
       :: fenced(c) -> alive[c] = false
       :: else -> publishing = true; leads_out[c] = true
       fi; tidy() }
  :: atomic { alive[c] && leads_out[c] && flushed_publishing && plan[c] == 0 ->
       holds(no_under_count, winner[MAP] != 0 && winner[REDUCE] != 0 && read_of[winner[REDUCE]] != 0);
       plan[c] = winner[REDUCE]; tidy() }
  :: atomic { alive[c] && plan[c] != 0 ->
       if
       :: published -> holds(same_manifest, manifest == plan[c])
       :: else -> manifest = plan[c]
       fi; tidy() }
  od
}

/* A coordinator answers from the store, once it believes itself that the map stands. */
#define READ_FROM(c) :: atomic { place_of_held == WORKING && task_of[hold[w]] == REDUCE && link[w] == c && alive[c] && state[of(c, MAP)] == STANDS && winner[MAP] != 0 -> \
  read_of[hold[w]] = generation_of[winner[MAP]] + 1; \
  reported[hold[w]] = (output[winner[MAP]] -> DONE : LOST); place[hold[w]] = ENDED; hold[w] = 0; tidy() }
#define place_of_held (hold[w] == 0 -> 0 : place[hold[w]])
#define map_stands (winner[MAP] != 0 && alive[link[w]] && state[of(link[w], MAP)] == STANDS)

#define TAKE(a) :: atomic { hold[w] == 0 && !gone[w] && place[a] == SENT && worker_of[a] == w -> hold[w] = a; place[a] = WORKING; tidy() }
#define GO_ON(a) :: atomic { hold[w] == 0 && !gone[w] && place[a] == WAITING && worker_of[a] == w && map_stands -> hold[w] = a; place[a] = WORKING; tidy() }
#define HEAR_VERDICT(a) :: atomic { !gone[w] && worker_of[a] == w && told[a] != 0 && place[a] != SENT && place[a] != OVER -> \
  if :: told[a] == COMMITTED -> holds(acknowledged_is_durable, in(durable, a)) \
     :: else -> output[a] = false; read_of[a] = 0 fi; \
  place[a] = OVER; told[a] = 0; reported[a] = 0; durable = durable & ~bit_of(a); if :: hold[w] == a -> hold[w] = 0 :: else fi; tidy() }
#define DIE(a) if :: worker_of[a] == w && place[a] != OVER && place[a] != 0 && place[a] != SENT -> \
  place[a] = OVER; durable = durable & ~bit_of(a); if :: told[a] != 0 -> told[a] = 0; reported[a] = 0 :: else fi :: else fi;
#define LOSE(a) if :: worker_of[a] == w -> output[a] = false :: else fi;
/* What the first coordinator still had to say to it is lost. */
#define LOSE_MESSAGE(a) if :: worker_of[a] == w && place[a] == SENT -> place[a] = OVER :: worker_of[a] == w && place[a] == OVER -> reported[a] = 0 :: worker_of[a] == w && place[a] != SENT && place[a] != OVER -> told[a] = 0 :: else fi;
#define NEVER_SENT(a) if :: worker_of[a] == w && place[a] == SENT -> place[a] = OVER :: else fi;

/* Reports are sent beside the work: the thread is free as soon as an attempt has ended. */
proctype Worker(bit w) {
end:
  do
  FOR_EACH_ATTEMPT(TAKE)
  FOR_EACH_ATTEMPT(HEAR_VERDICT)
  :: atomic { place_of_held == WORKING && task_of[hold[w]] == MAP -> output[hold[w]] = true; reported[hold[w]] = DONE; place[hold[w]] = ENDED; hold[w] = 0; tidy() }
  FOR_EACH_WORKER(READ_FROM)
  :: atomic { place_of_held == WORKING && task_of[hold[w]] == REDUCE && !map_stands -> place[hold[w]] = WAITING; hold[w] = 0; tidy() }
  FOR_EACH_ATTEMPT(GO_ON)
  :: atomic { restarted && link[w] == 0 -> link[w] = 1; FOR_EACH_ATTEMPT(LOSE_MESSAGE); tidy() }
  /* It dies and comes back, or stays away; its files may be there still. */
  :: atomic { faults > 0 && !gone[w] ->
       faults--;
       FOR_EACH_ATTEMPT(DIE)
       hold[w] = 0;
       if
       :: FOR_EACH_ATTEMPT(LOSE)
       :: skip
       fi;
       if
       :: !gone[1 - w] -> gone[w] = true; FOR_EACH_ATTEMPT(NEVER_SENT)
       :: skip
       fi; tidy() }
  od
}

/* The machine of the first coordinator fails, or it is taken for dead and a second one starts beside it. */
proctype World() {
end:
  do
  :: atomic { !all_flushed -> flush(); tidy() }
  :: atomic { !restarted && !published ->
       restarted = true;
       if
       :: alive[0] = false;
          generation[MAP] = flushed_generation[MAP];
          generation[REDUCE] = flushed_generation[REDUCE];
          UNDO(MAP)
          UNDO(REDUCE)
          publishing = flushed_publishing
       :: skip
       fi;
       flush();
       term = 1;
       load(1);
       run Coordinator(1); tidy() }
  od
}

/* Nothing can happen any more. */
proctype Monitor() { timeout -> holds(progress, published) }

init {
  atomic {
#ifdef LATE
    /* Begins later: the first worker has made the map, the second one has reduced it, and a backup of that is under way to the first. */
    place[1] = OVER; output[1] = true; committed[0] = true; winner[MAP] = 1;
    task_of[2] = REDUCE; worker_of[2] = 1; read_of[2] = 1; output[2] = true; place[2] = ENDED; reported[2] = DONE;
    task_of[3] = REDUCE; worker_of[3] = 0; place[3] = SENT;
    flush();
#endif
    load(0);
#ifdef LATE
    state[of(0, REDUCE)] = RUNNING;
    live[0] = bit_of(2) | bit_of(3);
#endif
    run Coordinator(0);
    run Worker(0);
    run Worker(1);
    run World();
    run Monitor()
  }
}
