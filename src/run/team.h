/* Team: threads that do pieces of one work, each with a connection and an arena of its own.
 *
 * A member whose connection is lost, and cannot be had again, gives its piece back and leaves; the work fails when the
 * last one leaves, or at once for any other reason. What the pieces are, and who takes which, is the owner's: under the
 * team's mutex. */
#pragma once

#include <pthread.h>

#include "base/arena.h"
#include "base/error.h"
#include "build/step.h"
#include "run/attempt.h"

typedef struct Team {
    const char *url; /* of the target, whose server runs */
    Build build;     /* as every member's, but for the connection */
    void *owner;

    pthread_mutex_t mutex; /* guards all below, and what the owner says */
    size_t at_work;        /* members */
    bool stopped;          /* nothing is begun any more */
    Error failure;         /* why */
} Team;

typedef struct TeamMember {
    Team *team;
    Build build; /* its conn is this member's own, and NULL where it has none */
    Arena arena; /* of one piece */
    pthread_t thread;
} TeamMember;

void team_init(Team *team, void *owner); /* the mutex; all else is the caller's to set */
void team_clear(Team *team);
/* For attempt_step() and its like. Made of the member, which must outlive it. */
Attempt team_attempt(TeamMember *member);

/* Runs work(TeamMember *) in `count` threads, of which this one is the first, over *conn; each of them ends with
 * team_leave(). *conn is replaced where it is lost, and NULL where no other was to be had. False: the work cannot go
 * on. */
bool team_work(Team *team, size_t count, void *(*work)(void *), Conn **conn, Error *err);
/* Under the mutex. failure, which is cleared: why, or nothing. unfinished: there is something left to do. */
void team_leave(Team *team, bool unfinished, Error *failure);
