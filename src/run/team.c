#include "run/team.h"

#include "base/log.h"

void team_init(Team *team, void *owner)
{
    team->owner = owner;
    pthread_mutex_init(&team->mutex, NULL);
}

void team_clear(Team *team)
{
    pthread_mutex_destroy(&team->mutex);
    error_clear(&team->failure);
}

Attempt team_attempt(TeamMember *member)
{
    return (Attempt){.build = &member->build, .url = member->team->url, .arena = &member->arena};
}

void team_leave(Team *team, bool unfinished, Error *failure)
{
    team->at_work--;
    bool last = team->at_work == 0 && unfinished;
    if (team->stopped || failure->code == ERROR_NONE)
        error_clear(failure); /* the first one tells why */
    else if (failure->code == ERROR_CONNECTION && !last)
        log_warn("one worker less: %s", failure->message);
    else
        error_move(&team->failure, failure);
    team->stopped = team->stopped || team->failure.code != ERROR_NONE;
}

static bool start(TeamMember *member, void *(*work)(void *))
{
    Team *team = member->team;
    pthread_mutex_lock(&team->mutex);
    team->at_work++;
    bool started = pthread_create(&member->thread, NULL, work, member) == 0;
    team->at_work -= !started;
    pthread_mutex_unlock(&team->mutex);
    return started;
}

bool team_work(Team *team, size_t count, void *(*work)(void *), Conn **conn, Error *err)
{
    TeamMember *members CLEANUP(mem_free_p) = mem_alloc(count * sizeof *members);
    team->stopped = false;
    team->at_work = 1;
    for (size_t i = 0; i < count; i++) {
        members[i] = (TeamMember){.team = team, .build = team->build};
        members[i].build.conn = i == 0 ? *conn : NULL;
        arena_init(&members[i].arena);
    }
    size_t started = 1;
    while (started < count && start(&members[started], work))
        started++;
    work(&members[0]);
    *conn = members[0].build.conn;
    for (size_t i = 1; i < started; i++) {
        pthread_join(members[i].thread, NULL);
        conn_close(members[i].build.conn);
    }
    bool good = team->failure.code == ERROR_NONE;
    error_move(err, &team->failure);
    return good;
}
