-- The ledger, version 2: what changed, for tables that are kept up to date in parts. A public interface:
-- docs/ledger.md.

-- What each publish (and, on tracked tables, each statement of others) touched of a table. Insert-only; which
-- entries a step has seen is told by its snapshot, never by order. Days from 2000-01-01, or integers as they are.
create table sluice.changes (
  change_id bigint generated always as identity primary key,
  schema_name text not null,
  table_name text not null,
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  step_id bigint,
  recorded_at timestamptz not null default clock_timestamp(),
  touched int8multirange not null default '{}',
  nulls boolean not null default false,
  everything boolean not null default false
);
create index on sluice.changes (schema_name, table_name, xid);
create index on sluice.changes (recorded_at);

-- Entries of transactions before this one may have been removed: a snapshot that is older has lost sight of changes.
-- One row.
create table sluice.changes_pruned (
  before xid8 not null
);
insert into sluice.changes_pruned values ('0');

-- One row per table that was ever built. Whoever holds the table's lock counts it up: a transaction whose snapshot is
-- older than the last publish fails at once (40001) and starts again.
create table sluice.fences (
  schema_name text not null,
  table_name text not null,
  version bigint not null,
  primary key (schema_name, table_name)
);

-- Tables of others with triggers that write sluice.changes.
create table sluice.tracked (
  schema_name text not null,
  table_name text not null,
  project text not null,
  node text not null,
  time_column text,
  fingerprint text not null,
  installed_at timestamptz not null default now(),
  primary key (schema_name, table_name)
);

alter table sluice.relations
  add column sql text,                 -- the model's SQL as of the last publish, without secrets
  add column step_key text,            -- hash of everything the rows were computed by; another one means full
  add column snapshot pg_snapshot,     -- what the rows were computed from, or were last found to agree with
  add column snapshot_at timestamptz,  -- when that was
  add column system_identifier text,
  add column declared text,            -- hash of the checks, indexes, grants and comments that were last applied
  add column time_column text,         -- the column that dates a row, declared or found out
  add column delivery_rows bigint,     -- of the last delivery that was accepted
  add column content_size bigint,      -- bytes of that delivery's file
  add column taken_back timestamptz,   -- when its last publish was, null: that stands
  add column granted text[],           -- `privilege role` of each grant that the program made
  add column commented text[];         -- columns, '' for the table, that have a comment of the program's

alter table sluice.steps
  add column decision text check (decision in ('skip', 'range', 'from', 'full')),
  add column touched text;             -- the times that were recomputed, for people

-- Publishes that can be taken back: rows as they were before, and as they were put there.
create table sluice.undo (
  undo_id bigint generated always as identity primary key, -- ascending per table: whoever adds holds its lock
  schema_name text not null,
  table_name text not null,
  step_id bigint not null,
  published_at timestamptz not null default clock_timestamp(),
  columns text[] not null,             -- name and type of each column of the table, in order
  images text[] not null,              -- names of the columns in new_row
  time_zone text not null,             -- of the session that wrote the texts
  rows_total bigint,                   -- of the table before
  delivery_rows bigint                 -- of the last delivery accepted before
);
create index on sluice.undo (schema_name, table_name);
create table sluice.undo_rows (
  undo_id bigint not null references sluice.undo on delete cascade,
  nth bigint not null,
  old_row text,                        -- text of the table's row, null: there was none
  new_row text,                        -- text of row(...), null: there is none
  primary key (undo_id, nth)
);

-- Ranges of a table's times that are recomputed whatever changed, in chunks, each in a transaction of its own.
create table sluice.backfills (
  backfill_id bigint generated always as identity primary key,
  schema_name text not null,
  table_name text not null,
  from_value text not null,
  to_value text not null,              -- itself left out
  step_key text not null,              -- as sluice.relations has it: another one is another backfill
  rows_total bigint not null,          -- of the table when it was begun
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz                 -- all is done, or another one has taken its place; null: chunks are missing
);
create unique index on sluice.backfills (schema_name, table_name) where ended_at is null;
create table sluice.backfill_chunks (
  backfill_id bigint not null references sluice.backfills on delete cascade,
  nth integer not null,                -- from 1
  from_value text not null,
  to_value text not null,
  step_id bigint,
  done_at timestamptz,
  primary key (backfill_id, nth)
);
