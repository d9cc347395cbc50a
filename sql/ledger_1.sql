-- The ledger, version 1. A public interface: docs/ledger.md. Later versions add files, never edit this one.
-- Schema sluice is there by then.
create table sluice.version (
  version integer primary key,
  installed_at timestamptz not null default now(),
  program text not null
);

create table sluice.runs (
  run_id bigint generated always as identity primary key,
  project text not null,
  target text not null,
  command text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  outcome text not null default 'running'
    check (outcome in ('running', 'ok', 'failed', 'busy', 'cancelled', 'lost')),
  host text not null,
  process text not null,
  database_user text not null default session_user,
  program text not null,
  error text
);
create index on sluice.runs (started_at);

create table sluice.steps (
  step_id bigint generated always as identity primary key,
  run_id bigint not null references sluice.runs on delete cascade,
  schema_name text not null,
  table_name text not null,
  node text not null,
  kind text not null check (kind in ('source', 'model', 'load')),
  materialized text,
  logical_run text not null,
  tick timestamptz,
  started_at timestamptz not null,
  ended_at timestamptz,
  outcome text not null default 'running'
    check (outcome in ('running', 'ok', 'unchanged', 'failed', 'blocked', 'skipped', 'cancelled', 'lost')),
  reason text,
  rows_total bigint,
  rows_inserted bigint,
  rows_updated bigint,
  rows_deleted bigint,
  step_key text,
  error text,
  error_place text,
  sqlstate text
);
create index on sluice.steps (run_id);
create index on sluice.steps (schema_name, table_name, started_at desc);
create index on sluice.steps (schema_name, table_name, tick)
  where outcome in ('ok', 'unchanged', 'failed', 'blocked');
-- One publish per logical run of a table, whoever asks and however often.
create unique index steps_published_once on sluice.steps (schema_name, table_name, logical_run)
  where outcome in ('ok', 'unchanged');

create table sluice.loads (
  step_id bigint primary key references sluice.steps on delete cascade,
  file text not null,
  bytes bigint not null,
  content_hash text not null,
  rows_read bigint not null,
  mode text not null
);

create table sluice.checks (
  check_id bigint generated always as identity primary key,
  run_id bigint not null references sluice.runs on delete cascade,
  step_id bigint references sluice.steps on delete cascade,
  schema_name text not null,
  table_name text not null,
  check_name text not null,
  kind text not null,
  severity text not null check (severity in ('warn', 'error')),
  outcome text not null check (outcome in ('ok', 'failed')),
  failed_rows bigint not null default 0,
  detail text,
  checked_at timestamptz not null default clock_timestamp()
);
create index on sluice.checks (run_id);
create index on sluice.checks (step_id);

create table sluice.failed_rows (
  check_id bigint not null references sluice.checks on delete cascade,
  run_id bigint not null,
  schema_name text not null,
  table_name text not null,
  check_name text not null,
  line bigint,
  failed_row jsonb not null
);
create index on sluice.failed_rows (check_id);
create index on sluice.failed_rows (run_id);

create table sluice.relations (
  schema_name text not null,
  table_name text not null,
  project text not null,
  target text not null,
  node text not null,
  kind text not null check (kind in ('source', 'model', 'load')),
  materialized text not null,
  definition text,
  owned_since timestamptz not null default now(),
  published_at timestamptz,
  published_run bigint,
  last_tick timestamptz,
  last_start timestamptz,
  content_hash text,
  rows_total bigint,
  primary key (schema_name, table_name)
);
