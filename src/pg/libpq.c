/* libpq, loaded when first called.
 *
 * It brings 20 other libraries along (TLS, Kerberos, LDAP), which take 3 ms to load: four times the rest of `sluice
 * version`, and of all that needs no database. Each function here bears the name of one of libpq's and passes the call
 * on; libpq-fe.h holds it to the right type. */
#include <dlfcn.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Its name has been this since PostgreSQL 8.2; a new number would mean another interface. */
#define LIBPQ "libpq.so.5"

static void *library;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    library = dlopen(LIBPQ, RTLD_NOW | RTLD_LOCAL);
    if (library)
        return;
    fprintf(stderr, "error: cannot load PostgreSQL's client library: %s\nhint: install the package libpq5\n",
            dlerror());
    abort();
}

static void *find(const char *name)
{
    pthread_once(&once, load);
    void *function = dlsym(library, name);
    if (function)
        return function;
    fprintf(stderr, "error: %s\n", dlerror());
    abort();
}

/* Two threads that come first at once both find the same. */
#define PASS_ON(type, name, declared, passed)                                                                          \
    type name declared                                                                                                 \
    {                                                                                                                  \
        static __typeof__(&(name)) real;                                                                               \
        __typeof__(&(name)) to = __atomic_load_n(&real, __ATOMIC_ACQUIRE);                                             \
        if (!to) {                                                                                                     \
            to = (__typeof__(&(name)))find(#name);                                                                     \
            __atomic_store_n(&real, to, __ATOMIC_RELEASE);                                                             \
        }                                                                                                              \
        return to passed;                                                                                              \
    }

PASS_ON(int, PQbackendPID, (const PGconn *conn), (conn))
PASS_ON(int, PQcancel, (PGcancel * cancel, char *errbuf, int errbufsize), (cancel, errbuf, errbufsize))
PASS_ON(void, PQclear, (PGresult * res), (res))
PASS_ON(char *, PQcmdStatus, (PGresult * res), (res))
PASS_ON(char *, PQcmdTuples, (PGresult * res), (res))
PASS_ON(PostgresPollingStatusType, PQconnectPoll, (PGconn * conn), (conn))
PASS_ON(PGconn *, PQconnectStartParams, (const char *const *keywords, const char *const *values, int expand_dbname),
        (keywords, values, expand_dbname))
PASS_ON(int, PQconnectionUsedPassword, (const PGconn *conn), (conn))
PASS_ON(PQconninfoOption *, PQconninfo, (PGconn * conn), (conn))
PASS_ON(void, PQconninfoFree, (PQconninfoOption * connOptions), (connOptions))
PASS_ON(PQconninfoOption *, PQconninfoParse, (const char *conninfo, char **errmsg), (conninfo, errmsg))
PASS_ON(int, PQconsumeInput, (PGconn * conn), (conn))
PASS_ON(char *, PQdb, (const PGconn *conn), (conn))
PASS_ON(char *, PQerrorMessage, (const PGconn *conn), (conn))
PASS_ON(char *, PQescapeIdentifier, (PGconn * conn, const char *str, size_t len), (conn, str, len))
PASS_ON(char *, PQescapeLiteral, (PGconn * conn, const char *str, size_t len), (conn, str, len))
PASS_ON(void, PQfinish, (PGconn * conn), (conn))
PASS_ON(int, PQflush, (PGconn * conn), (conn))
PASS_ON(char *, PQfname, (const PGresult *res, int field_num), (res, field_num))
PASS_ON(void, PQfreeCancel, (PGcancel * cancel), (cancel))
PASS_ON(void, PQfreemem, (void *ptr), (ptr))
PASS_ON(PGcancel *, PQgetCancel, (PGconn * conn), (conn))
PASS_ON(PGresult *, PQgetResult, (PGconn * conn), (conn))
PASS_ON(int, PQgetisnull, (const PGresult *res, int tup_num, int field_num), (res, tup_num, field_num))
PASS_ON(char *, PQgetvalue, (const PGresult *res, int tup_num, int field_num), (res, tup_num, field_num))
PASS_ON(char *, PQhost, (const PGconn *conn), (conn))
PASS_ON(int, PQisBusy, (PGconn * conn), (conn))
PASS_ON(int, PQlibVersion, (void), ())
PASS_ON(int, PQnfields, (const PGresult *res), (res))
PASS_ON(int, PQntuples, (const PGresult *res), (res))
PASS_ON(char *, PQpass, (const PGconn *conn), (conn))
PASS_ON(char *, PQport, (const PGconn *conn), (conn))
PASS_ON(int, PQputCopyData, (PGconn * conn, const char *buffer, int nbytes), (conn, buffer, nbytes))
PASS_ON(int, PQputCopyEnd, (PGconn * conn, const char *errormsg), (conn, errormsg))
PASS_ON(char *, PQresultErrorField, (const PGresult *res, int fieldcode), (res, fieldcode))
PASS_ON(char *, PQresultErrorMessage, (const PGresult *res), (res))
PASS_ON(ExecStatusType, PQresultStatus, (const PGresult *res), (res))
PASS_ON(int, PQsendPrepare,
        (PGconn * conn, const char *stmtName, const char *query, int nParams, const Oid *paramTypes),
        (conn, stmtName, query, nParams, paramTypes))
PASS_ON(int, PQsendQuery, (PGconn * conn, const char *query), (conn, query))
PASS_ON(int, PQsendQueryParams,
        (PGconn * conn, const char *command, int nParams, const Oid *paramTypes, const char *const *paramValues,
         const int *paramLengths, const int *paramFormats, int resultFormat),
        (conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats, resultFormat))
PASS_ON(int, PQsendQueryPrepared,
        (PGconn * conn, const char *stmtName, int nParams, const char *const *paramValues, const int *paramLengths,
         const int *paramFormats, int resultFormat),
        (conn, stmtName, nParams, paramValues, paramLengths, paramFormats, resultFormat))
PASS_ON(int, PQserverVersion, (const PGconn *conn), (conn))
PASS_ON(PGVerbosity, PQsetErrorVerbosity, (PGconn * conn, PGVerbosity verbosity), (conn, verbosity))
PASS_ON(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * conn, PQnoticeProcessor proc, void *arg), (conn, proc, arg))
PASS_ON(int, PQsetnonblocking, (PGconn * conn, int arg), (conn, arg))
PASS_ON(int, PQsocket, (const PGconn *conn), (conn))
PASS_ON(ConnStatusType, PQstatus, (const PGconn *conn), (conn))
PASS_ON(PGTransactionStatusType, PQtransactionStatus, (const PGconn *conn), (conn))
