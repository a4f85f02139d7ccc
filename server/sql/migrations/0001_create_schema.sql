-- migrate:up
-- Written by make schema from server/sql/schema/*.sql, in order of name.

-- callhopper: the database is the product. Services ask, SQL decides and remembers, workers dial.
--
-- Read these files in order: foundation, contacts, campaigns, hopper, rule, views. Base tables are private, the views are
-- the public face. States are text with CHECKs, so that a value can be dropped again. Rule numbers (R4, D3 ...) are those
-- of docs/rules.md.
--
-- Lock order, for every transaction (tests/sql/test_lock_order.py proves it):
--   1. the campaign's advisory lock: exclusive to pause, stop or delete a campaign; shared to begin. A claim, which
--      already holds entries, only tries it and never waits.
--   2. contact_item_type, contact_list, contact
--   3. campaign, by campaign_id
--   4. hopper_entry, by (campaign_id, contact_id); a claim skips locked ones and never waits
--   5. attempt, by (campaign_id, contact_id)
-- Inserting an attempt may wait for another claim's uncommitted attempt of the same person or number. Two claims can so
-- wait for each other; PostgreSQL ends one of them (40P01), and the server runs it again.

-- The one source of time: the session's `callhopper.now` when it is set, else the wall clock.
create function clock() returns timestamptz
language sql volatile parallel restricted
return coalesce(nullif(current_setting('callhopper.now', true), '')::timestamptz, clock_timestamp());

-- E.164, or the digits of an internal extension. The pattern keeps a dial string from carrying a second destination.
create domain dial_number as text check (value ~ '^\+?[0-9]{2,15}$');

-- A length of time in whole seconds (R1), 0 to 366 days, without days or months, whose length would vary.
create domain seconds_interval as interval check (
  value >= interval '0' and value <= interval '8784:00:00'
  and date_trunc('second', value) = value
  and extract(day from value) = 0 and extract(month from value) = 0 and extract(year from value) = 0
);

-- Most attempts, the first one included; 0 and 1 both mean: never again after one failure (R1).
create domain attempt_limit as integer check (value between 0 and 1000);

-- Answers of Create calls, so that the same request_id answers the same (kept 24 hours).
create table request_log (
  request_id uuid primary key,
  rpc text not null,
  request_digest bytea not null,
  response bytea not null,
  created_at timestamptz not null
);

-- The loop that forgets old answers scans by age.
create index request_log_age on request_log (created_at);

-- What all servers of one installation share.

-- The secret that signs page tokens, made with the database: one row. Two random UUIDs hold 244 random bits.
create table server_key (
  only_row boolean primary key default true,
  secret bytea not null,
  constraint there_is_one_server_key check (only_row)
);

insert into server_key (secret) values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Contacts, their lists, their numbers and the types of those numbers (C1-C8).

create table contact_item_type (
  contact_item_type_id bigint generated always as identity primary key,
  name text not null check (char_length(name) between 1 and 64),
  -- NFKC and casefolded: what must be unique (C3).
  name_key text not null constraint contact_item_type_name_is_taken unique,
  -- NFKD, marks removed, casefolded: what is compared with collate "C" (O1).
  sort_name text not null,
  order_by integer not null check (order_by >= 1),
  colour text check (colour ~ '^#[0-9A-F]{6}$'),
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table contact_list (
  contact_list_id bigint generated always as identity primary key,
  name text not null check (char_length(name) between 1 and 128),
  name_key text not null,
  default_region text not null check (default_region ~ '^[A-Z]{2}$'),
  extensions_allowed boolean not null,
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- A deleted list stays for its deleted contacts, and is shown nowhere.
  deleted_at timestamptz
);

-- A name belongs to one living list: insert_contact_list, update_contact_list, list_contact_lists by name.
create unique index contact_list_name_is_taken on contact_list (name_key) where deleted_at is null;

create table contact (
  contact_id bigint generated always as identity primary key,
  contact_list_id bigint not null references contact_list,
  first_name text not null default '',
  last_name text not null default '',
  -- NFKC and casefolded: what list_contacts finds by the beginning of a name (C6).
  first_name_key text collate "C" not null default '',
  last_name_key text collate "C" not null default '',
  email text not null default '',
  company text not null default '',
  postal_address text not null default '',
  description text not null default '',
  priority integer not null default 2 check (priority >= 1),
  earliest_call_at timestamptz,
  time_zone text,
  person_key text check (person_key <> ''),
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- A deleted contact stays for history and for its live call, and is shown nowhere.
  deleted_at timestamptz
);

-- Contacts of a list by id: load_entries, list_contacts.
create index contact_of_list on contact (contact_list_id, contact_id) where deleted_at is null;

-- Contacts by the beginning of a name (C6): list_contacts.
create index contact_by_first_name on contact (first_name_key) where deleted_at is null and first_name_key <> '';
create index contact_by_last_name on contact (last_name_key) where deleted_at is null and last_name_key <> '';

-- All numbers of a contact. entry_position 0 is the primary; the others are in order of entry (C2).
create table contact_phone (
  contact_id bigint not null references contact on delete cascade,
  entry_position smallint not null check (entry_position between 0 and 32),
  e164 dial_number not null,
  entered text not null,
  contact_item_type_id bigint references contact_item_type,
  primary key (contact_id, entry_position),
  constraint contact_has_a_number_once unique (contact_id, e164),
  constraint primary_phone_has_no_item_type check (entry_position > 0 or contact_item_type_id is null)
);

-- Reverse lookup by any number (C6), and the duplicate check of load_entries (E2).
create index contact_phone_by_number on contact_phone (e164);

-- Phones of one type: deleting a type, and which entries a changed type concerns.
create index contact_phone_by_type on contact_phone (contact_item_type_id) where contact_item_type_id is not null;

-- Where rows of CSV files wait until their import has read the whole file (I1). Nothing here outlives an import.

-- Imports under way, by a random number that the server draws: it can then end one even when it does not know whether
-- beginning it was committed. One whose server died is forgotten once it expires.
create table contact_import (
  contact_import_id bigint primary key,
  contact_list_id bigint not null,
  expires_at timestamptz not null
);

-- Rows that were read: one contact each, with its numbers in order of entry, the primary first. `entered` has null where it
-- equals the number. Ids are taken here, so that contacts are in the order of the file.
-- Unlogged: a crash of PostgreSQL empties it, and the import, which counts its rows at the end, fails.
create unlogged table contact_import_row (
  contact_import_id bigint not null,
  line bigint not null,
  contact_id bigint not null default nextval('contact_contact_id_seq'),
  first_name text not null,
  last_name text not null,
  first_name_key text collate "C" not null,
  last_name_key text collate "C" not null,
  email text not null,
  company text not null,
  postal_address text not null,
  description text not null,
  priority integer not null,
  earliest_call_at timestamptz,
  time_zone text,
  person_key text,
  e164s text[] not null,
  entered text[] not null,
  contact_item_type_ids bigint[] not null,
  primary key (contact_import_id, line)
);

-- Campaigns, the versions of their retry settings, and their lists (E1, R1, R10).

create table campaign (
  campaign_id bigint generated always as identity primary key,
  name text not null check (char_length(name) between 1 and 128),
  name_key text not null constraint campaign_name_is_taken unique,
  state text not null default 'DRAFT' check (state in ('DRAFT', 'RUNNING', 'PAUSED', 'STOPPED')),
  priority integer not null check (priority >= 1),
  start_at timestamptz,
  end_at timestamptz,
  originate_timeout seconds_interval not null,
  caller_id text not null default '',
  check_duplicate text not null check (check_duplicate in ('NEVER', 'ALWAYS', 'ONLY_IF_OPEN')),
  duplicate_scope text not null check (duplicate_scope in ('ANY_NUMBER', 'PRIMARY')),
  -- How long a silent attempt that was begun is held, from the end of its lease (D3).
  quarantine seconds_interval not null,
  -- The same for a call that was answered (D3).
  max_talk seconds_interval not null,
  settings_version integer not null default 1,
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint campaign_ends_after_it_starts check (end_at > start_at)
);

-- Retry settings. A version is never changed: history names the one that decided each call (R10). The columns of a
-- status have its name in front.
create table campaign_settings (
  campaign_id bigint not null references campaign on delete cascade,
  settings_version integer not null check (settings_version >= 1),
  global_max_attempts attempt_limit not null,
  additional_phone_delay seconds_interval not null,
  no_answer_max_attempts attempt_limit not null,
  no_answer_retry_interval seconds_interval not null,
  no_answer_on_failure text not null check (no_answer_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  busy_max_attempts attempt_limit not null,
  busy_retry_interval seconds_interval not null,
  busy_on_failure text not null check (busy_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  congestion_max_attempts attempt_limit not null,
  congestion_retry_interval seconds_interval not null,
  congestion_on_failure text not null check (congestion_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  no_such_number_max_attempts attempt_limit not null,
  no_such_number_retry_interval seconds_interval not null,
  no_such_number_on_failure text not null check (no_such_number_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  drop_max_attempts attempt_limit not null,
  drop_retry_interval seconds_interval not null,
  drop_on_failure text not null check (drop_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  abandoned_max_attempts attempt_limit not null,
  abandoned_retry_interval seconds_interval not null,
  abandoned_on_failure text not null check (abandoned_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  machine_max_attempts attempt_limit not null,
  machine_retry_interval seconds_interval not null,
  machine_on_failure text not null check (machine_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  agent_reject_max_attempts attempt_limit not null,
  agent_reject_retry_interval seconds_interval not null,
  agent_reject_on_failure text not null check (agent_reject_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  created_at timestamptz not null,
  primary key (campaign_id, settings_version)
);

-- A campaign always points at one of its settings versions; both rows are written in one transaction.
alter table campaign add constraint campaign_has_its_settings
  foreign key (campaign_id, settings_version) references campaign_settings (campaign_id, settings_version)
  deferrable initially deferred;

create table campaign_list (
  campaign_id bigint not null references campaign on delete cascade,
  contact_list_id bigint not null references contact_list,
  added_at timestamptz not null,
  primary key (campaign_id, contact_list_id)
);

-- Campaigns of a list: loading a new contact, deleting a list.
create index campaign_list_by_list on campaign_list (contact_list_id, campaign_id);

-- The hopper: open entries, live attempts, ended calls (history), closed entries (final). D1-D6, R6.

-- One row per contact that a campaign still wants to reach. Which number is next is never stored: it is decided, from
-- these facts, whenever it is needed (O3).
-- No foreign keys: loading a million entries would lock and dirty a million contacts. Contacts are never removed while
-- anything refers to them, and a campaign's entries go with it in one transaction.
create table hopper_entry (
  campaign_id bigint not null,
  contact_id bigint not null,
  entry_id bigint generated always as identity,
  -- READY waits, LIVE is on a call, HELD had a call of unknown outcome.
  state text not null default 'READY' check (state in ('READY', 'LIVE', 'HELD')),
  -- The contact's priority; 1 is highest.
  priority integer not null,
  loaded_at timestamptz not null,
  -- No call is made before: the load, or the contact's earliest call time (C1).
  ready_at timestamptz not null,
  -- When the next call may be made, by the last decision.
  scheduled_at timestamptz not null,
  -- Not before this moment, whatever is decided: its person was on a call (D1), or its worker could not dial (D5).
  deferred_until timestamptz,
  -- The running cycle. It advances when the first call of the next one begins (R4).
  cycle integer not null default 1 check (cycle >= 1),
  -- Ended calls.
  attempts integer not null default 0 check (attempts >= 0),
  -- By number: {"+12025550100": {"total": 2, "cycle": 1, "NO_ANSWER": 1, "BUSY": 1}}. total counts failed calls, cycle is
  -- the last cycle in which it was dialed. Kept when a number is removed, and there again when it is added again (E5).
  tallies jsonb not null default '{}',
  last_e164 text,
  last_item_type text,
  last_status text,
  last_ended_at timestamptz,
  first_begun_at timestamptz,
  -- Set while live: close for this reason when the call is reported (E4).
  close_as text check (close_as in ('REACHED', 'STOPPED', 'REMOVED', 'DELETED', 'EXPIRED')),
  primary key (campaign_id, contact_id),
  constraint only_a_live_entry_waits_to_close check (close_as is null or state <> 'READY'),
  constraint last_call_is_whole check (
    (last_ended_at is null) = (last_status is null) and (last_ended_at is null) = (last_e164 is null)
  )
) with (
  fillfactor = 60, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 200000
);

-- lock_due_entries and next_due: due entries of a campaign and priority, oldest first.
create index hopper_entry_due on hopper_entry (campaign_id, priority, scheduled_at, contact_id) where state = 'READY';

-- Live calls, one row each; the row is the lease (D2). CLAIMED has not rung; DIALING may ring; UNKNOWN may have rung, and
-- its worker went silent. Nobody is rung twice at once because of the three unique keys (D1).
create table attempt (
  campaign_id bigint not null,
  contact_id bigint not null,
  entry_id bigint not null,
  attempt_id uuid not null,
  lease_token uuid not null,
  state text not null check (state in ('CLAIMED', 'DIALING', 'UNKNOWN')),
  -- The person_key of the contact, else the contact itself (C1).
  person text not null,
  e164 dial_number not null,
  contact_item_type_id bigint,
  item_type text,
  dial_position integer not null,
  cycle integer not null,
  -- The first call of its cycle.
  starts_cycle boolean not null,
  attempt_number integer not null,
  rule text not null,
  settings_version integer not null,
  worker_id text not null,
  scheduled_at timestamptz not null,
  claimed_at timestamptz not null,
  begun_at timestamptz,
  answered_at timestamptz,
  lease_expires_at timestamptz not null,
  held_until timestamptz,
  constraint one_live_attempt_an_entry primary key (campaign_id, contact_id),
  constraint one_live_attempt_a_person unique (person),
  constraint one_live_attempt_a_number unique (e164),
  constraint a_begun_attempt_has_its_time check ((state = 'CLAIMED') = (begun_at is null)),
  constraint an_unknown_attempt_is_held check ((state = 'UNKNOWN') = (held_until is not null))
) with (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 20000
);

-- Which attempts a claim got, so that the same request_id gets them again (D2).
create table claim_request (
  request_id uuid primary key,
  worker_id text not null,
  campaign_ids bigint[] not null,
  contact_ids bigint[] not null,
  lease_token uuid not null,
  claimed_at timestamptz not null
);

-- The loop that forgets old claims scans by age.
create index claim_request_age on claim_request (claimed_at);

-- Attempts that were given back, so that a late begin or report gets a definite answer: the lease is lost.
create table released_attempt (
  attempt_id uuid primary key,
  lease_token uuid not null,
  campaign_id bigint not null,
  contact_id bigint not null,
  entry_id bigint not null,
  e164 text not null,
  worker_id text not null,
  was_begun boolean not null,
  reason text not null check (reason in ('LEASE_ENDED', 'GIVEN_BACK', 'REFUSED', 'NOT_DIALED')),
  released_at timestamptz not null
);

-- The loop that forgets old releases scans by age.
create index released_attempt_age on released_attempt (released_at);

-- Workers that drain: they get no further attempts.
create table stopped_worker (
  worker_id text primary key,
  stopped_at timestamptz not null
);

-- Ended calls, one row each (R6). attempt_id is a UUIDv7 of claimed_at, so that its partition can be told from it.
create table history (
  attempt_id uuid not null,
  claimed_at timestamptz not null,
  lease_token uuid not null,
  campaign_id bigint not null,
  contact_id bigint not null,
  entry_id bigint not null,
  e164 text not null,
  item_type text,
  status text not null check (status in (
    'ANSWERED', 'NO_ANSWER', 'BUSY', 'CONGESTION', 'NO_SUCH_NUMBER', 'DROP', 'ABANDONED', 'MACHINE', 'AGENT_REJECT', 'UNKNOWN'
  )),
  cycle integer not null,
  dial_position integer not null,
  attempt_number integer not null,
  rule text not null,
  settings_version integer not null,
  worker_id text not null,
  scheduled_at timestamptz not null,
  begun_at timestamptz not null,
  answered_at timestamptz,
  ended_at timestamptz not null,
  ring interval not null,
  talk interval not null,
  telephony_cause text not null default '',
  channel_id text not null default '',
  -- The call was recorded as UNKNOWN, and a late report said what it came to (D3).
  is_corrected boolean not null default false,
  -- The transaction that wrote the row last: what the history feed orders by.
  recorded_in xid8 not null default pg_current_xact_id(),
  primary key (attempt_id, claimed_at),
  constraint a_call_ends_after_it_began check (ended_at >= begun_at)
) partition by range (claimed_at);

-- Calls of months that have no partition of their own, such as those of a clock that was wrong.
create table history_default partition of history default;

-- list_history of a campaign, as a listing and as a feed.
create index history_of_campaign on history (campaign_id, recorded_in, attempt_id);

-- list_history of a contact.
create index history_of_contact on history (contact_id, recorded_in, attempt_id);

-- Reports that decided nothing, kept as evidence (D2).
create table late_report (
  late_report_id bigint generated always as identity primary key,
  attempt_id uuid not null,
  outcome text not null,
  answer text not null check (answer in ('LATE', 'CONFLICT', 'LEASE_LOST')),
  ring interval,
  talk interval,
  telephony_cause text not null default '',
  channel_id text not null default '',
  received_at timestamptz not null
);

-- Evidence about one attempt.
create index late_report_by_attempt on late_report (attempt_id);

-- Closed entries (R6).
create table final (
  entry_id bigint primary key,
  campaign_id bigint not null,
  contact_id bigint not null,
  reason text not null check (reason in (
    'REACHED', 'RETRY_LIMIT', 'BLACKLISTED', 'NO_DIALABLE_NUMBER', 'EXPIRED', 'DELETED', 'MERGED', 'REMOVED', 'STOPPED'
  )),
  last_e164 text,
  last_item_type text,
  last_status text,
  attempts integer not null,
  cycles integer not null,
  tallies jsonb not null,
  loaded_at timestamptz not null,
  first_begun_at timestamptz,
  last_ended_at timestamptz,
  closed_at timestamptz not null
);

-- list_final, and the duplicate check of load_entries.
create index final_of_campaign on final (campaign_id, contact_id, entry_id);

-- What was ever loaded: the other side of the conservation law (D6).
create table hopper_load (
  hopper_load_id bigint generated always as identity primary key,
  campaign_id bigint not null references campaign on delete cascade,
  contact_list_id bigint not null,
  loaded_count bigint not null,
  duplicate_count bigint not null,
  loaded_at timestamptz not null
);

-- What was loaded into one campaign.
create index hopper_load_of_campaign on hopper_load (campaign_id);

-- The key of a campaign's advisory lock (see the lock order in 10_foundation.sql).
create function campaign_lock(campaign_id bigint) returns bigint
language sql immutable parallel safe
return hashtextextended('callhopper campaign ' || campaign_id, 0);

-- Moves entries into final for the given reasons, one array element an entry, and answers how many. The only way into
-- final: the row has all facts. The caller has the entries' locks, and none of them has a live attempt.
create function close_entries(campaign_ids bigint[], contact_ids bigint[], reasons text[]) returns bigint
language sql volatile
begin atomic
  with closed as (
    delete from hopper_entry entry
    using unnest(campaign_ids, contact_ids, reasons) as closing (campaign_id, contact_id, reason)
    where entry.campaign_id = closing.campaign_id and entry.contact_id = closing.contact_id and entry.state = 'READY'
    returning entry.*, closing.reason
  ),
  finals as (
    insert into final (
      entry_id, campaign_id, contact_id, reason, last_e164, last_item_type, last_status, attempts, cycles, tallies,
      loaded_at, first_begun_at, last_ended_at, closed_at
    )
    select
      entry_id, campaign_id, contact_id, reason, last_e164, last_item_type, last_status, attempts,
      case when attempts = 0 then 0 else cycle end, tallies, loaded_at, first_begun_at, last_ended_at, clock()
    from closed
    returning entry_id
  )
  select count(*) from finals;
end;

-- Partitions of history, one a month (UTC): old months can be detached and archived without touching the others.

-- Adds the partitions of this month and the months after it that are missing, and answers how many. A month of which calls are
-- in the default partition already stays there. Several servers may call it at once. Runs with its owner's rights, so that the server's role needs none to create.
create function add_history_partitions(months_ahead integer) returns integer
language plpgsql volatile security definer
set search_path from current
set timezone = 'UTC'
as $$
declare
  month timestamptz;
  added integer := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('callhopper partitions of history', 0));
  for month in
    select first_day
    from generate_series(
      date_trunc('month', clock()), date_trunc('month', clock()) + make_interval(months => months_ahead), interval '1 month'
    ) as first_day
  loop
    continue when to_regclass('history_' || to_char(month, 'YYYY_MM')) is not null;
    continue when exists (
      select 1 from history_default where claimed_at >= month and claimed_at < month + interval '1 month'
    );
    -- Made first and attached then: reports may go on meanwhile.
    execute format('create table %I (like history including all)', 'history_' || to_char(month, 'YYYY_MM'));
    execute format(
      'alter table history attach partition %I for values from (%L) to (%L)',
      'history_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month'
    );
    added := added + 1;
  end loop;
  return added;
end;
$$;

-- The rule: which number is dialed next, and when (O1-O3, R2-R5, R7, R11). Written once. The views, the claim, the report,
-- the rescue and the plan all read what is here, so what people see is what is dialed. All functions are plain SQL that
-- PostgreSQL inlines into the statement that calls them.

-- Every number of a contact in dial order (O1): the primary is 0, additional phones are 1..n. One row a number.
-- Filter it by contact_id: the order is then computed for that contact only.
create view dial_order as
select
  phone.contact_id,
  phone.entry_position,
  phone.e164,
  phone.entered,
  phone.contact_item_type_id,
  item_type.name as item_type,
  item_type.order_by,
  item_type.colour,
  (row_number() over (
    partition by phone.contact_id
    order by
      phone.entry_position <> 0,
      item_type.contact_item_type_id is null,
      item_type.order_by,
      item_type.sort_name collate "C",
      item_type.name collate "C",
      phone.entry_position
  ) - 1)::integer as dial_position
from contact_phone phone
left join contact_item_type item_type on item_type.contact_item_type_id = phone.contact_item_type_id;

-- Whether a number has used up its limits (R2). tally is one number's part of hopper_entry.tallies; null when it was never
-- called. NO_ANSWER 3 of 3: exhausted; 2 of 3 and total 4 of 4: exhausted.
create function is_exhausted(tally jsonb, settings campaign_settings) returns boolean
language sql immutable parallel safe
return case when tally is null then false else
  coalesce((tally ->> 'total')::integer, 0) >= greatest(settings.global_max_attempts, 1)
  or coalesce((tally ->> 'NO_ANSWER')::integer, 0) >= greatest(settings.no_answer_max_attempts, 1)
  or coalesce((tally ->> 'BUSY')::integer, 0) >= greatest(settings.busy_max_attempts, 1)
  or coalesce((tally ->> 'CONGESTION')::integer, 0) >= greatest(settings.congestion_max_attempts, 1)
  or coalesce((tally ->> 'NO_SUCH_NUMBER')::integer, 0) >= greatest(settings.no_such_number_max_attempts, 1)
  or coalesce((tally ->> 'DROP')::integer, 0) >= greatest(settings.drop_max_attempts, 1)
  or coalesce((tally ->> 'ABANDONED')::integer, 0) >= greatest(settings.abandoned_max_attempts, 1)
  or coalesce((tally ->> 'MACHINE')::integer, 0) >= greatest(settings.machine_max_attempts, 1)
  or coalesce((tally ->> 'AGENT_REJECT')::integer, 0) >= greatest(settings.agent_reject_max_attempts, 1)
end;

-- How long after a call with this status the next cycle begins, or the same number is called again. UNKNOWN waits as
-- NO_ANSWER does (D3).
create function retry_interval(settings campaign_settings, status text) returns interval
language sql immutable parallel safe
return case status
  when 'NO_ANSWER' then settings.no_answer_retry_interval
  when 'BUSY' then settings.busy_retry_interval
  when 'CONGESTION' then settings.congestion_retry_interval
  when 'NO_SUCH_NUMBER' then settings.no_such_number_retry_interval
  when 'DROP' then settings.drop_retry_interval
  when 'ABANDONED' then settings.abandoned_retry_interval
  when 'MACHINE' then settings.machine_retry_interval
  when 'AGENT_REJECT' then settings.agent_reject_retry_interval
  when 'UNKNOWN' then settings.no_answer_retry_interval
end;

-- Where the next call goes after a call with this status (R7). After UNKNOWN always to the next number (D3).
create function on_failure(settings campaign_settings, status text) returns text
language sql immutable parallel safe
return case status
  when 'NO_ANSWER' then settings.no_answer_on_failure
  when 'BUSY' then settings.busy_on_failure
  when 'CONGESTION' then settings.congestion_on_failure
  when 'NO_SUCH_NUMBER' then settings.no_such_number_on_failure
  when 'DROP' then settings.drop_on_failure
  when 'ABANDONED' then settings.abandoned_on_failure
  when 'MACHINE' then settings.machine_on_failure
  when 'AGENT_REJECT' then settings.agent_reject_on_failure
  else 'NEXT_NUMBER'
end;

-- Adds an ended call to an entry's tallies (R2). An answered call is no failure: it is shown and not counted in the total.
create function count_call(tallies jsonb, e164 text, status text, cycle integer) returns jsonb
language sql immutable parallel safe
return tallies || jsonb_build_object(e164, coalesce(tallies -> e164, '{}'::jsonb) || jsonb_build_object(
  'total', coalesce((tallies -> e164 ->> 'total')::integer, 0) + (status <> 'ANSWERED')::integer,
  'cycle', cycle,
  status, coalesce((tallies -> e164 ->> status)::integer, 0) + 1
));

-- The numbers of a contact in dial order, with what an entry in this cycle and with these tallies has done to them.
create function hopper_numbers(
  of_contact bigint, running_cycle integer, tallies jsonb, settings campaign_settings
) returns table (
  e164 text, contact_item_type_id bigint, item_type text, order_by integer, colour text, dial_position integer,
  tally jsonb, is_dialed boolean, is_exhausted boolean
)
language sql stable parallel safe
begin atomic
  select
    number.e164,
    number.contact_item_type_id,
    number.item_type,
    number.order_by,
    number.colour,
    number.dial_position,
    tallies -> number.e164,
    coalesce((tallies -> number.e164 ->> 'cycle')::integer = running_cycle, false),
    is_exhausted(tallies -> number.e164, settings)
  from dial_order number
  where number.contact_id = of_contact;
end;

-- The decision (R3-R5, R7, R11): the next call of an entry, or why it closes. One row always; a pure function of the
-- entry's facts, the contact's present numbers and the settings, so that deciding again gives the same answer unless one of
-- them changed.
--   never called           -> the first number, when the entry is ready                         FIRST_CALL
--   the status says so      -> the same number, the status's interval after the end (R7)         SAME_NUMBER
--   a number is pending     -> the first such, the additional phone delay after the end (R3)     NEXT_NUMBER
--   a number is left        -> the first such in a new cycle, the status's interval after (R4)   NEXT_CYCLE
--   none is left            -> closed (R5)
-- Never before ready_at, which follows the contact's earliest call time (C1).
create function next_call(
  settings campaign_settings, of_contact bigint, ready_at timestamptz, running_cycle integer, tallies jsonb,
  last_e164 text, last_status text, last_ended_at timestamptz
) returns table (
  e164 text, contact_item_type_id bigint, item_type text, dial_position integer, cycle integer, starts_cycle boolean,
  due_at timestamptz, rule text, close_reason text
)
language sql stable parallel safe
begin atomic
  select
    choice.e164,
    choice.contact_item_type_id,
    choice.item_type,
    choice.dial_position,
    running_cycle + (choice.rule = 'NEXT_CYCLE')::integer,
    choice.rule = 'NEXT_CYCLE',
    case choice.rule
      when 'FIRST_CALL' then ready_at
      when 'NEXT_NUMBER' then greatest(ready_at, last_ended_at + settings.additional_phone_delay)
      when 'SAME_NUMBER' then greatest(ready_at, last_ended_at + retry_interval(settings, last_status))
      when 'NEXT_CYCLE' then greatest(ready_at, last_ended_at + retry_interval(settings, last_status))
    end,
    choice.rule,
    case
      when choice.e164 is not null then null
      when last_status = 'ANSWERED' then 'REACHED'
      when exists (
        select 1 from hopper_numbers(of_contact, running_cycle, tallies, settings) number where number.is_exhausted
      ) then 'RETRY_LIMIT'
      else 'NO_DIALABLE_NUMBER'
    end
  from (values (true)) always
  left join lateral (
    select
      number.e164,
      number.contact_item_type_id,
      number.item_type,
      number.dial_position,
      case
        when last_ended_at is null then 'FIRST_CALL'
        when number.e164 = last_e164 and on_failure(settings, last_status) = 'SAME_NUMBER' then 'SAME_NUMBER'
        when not number.is_dialed then 'NEXT_NUMBER'
        else 'NEXT_CYCLE'
      end as rule
    from hopper_numbers(of_contact, running_cycle, tallies, settings) number
    where not number.is_exhausted and last_status is distinct from 'ANSWERED'
    order by
      case
        when last_ended_at is null then 0
        when number.e164 = last_e164 and on_failure(settings, last_status) = 'SAME_NUMBER' then 0
        when not number.is_dialed then 1
        else 2
      end,
      number.dial_position
    limit 1
  ) choice on true;
end;

-- A UUIDv7 of a moment (RFC 9562, section 5.7), made here because PostgreSQL before 18 has none.
create function uuid_at(moment timestamptz) returns uuid
language sql volatile parallel safe
begin atomic
  select (substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid
  from (select lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0') as hex) timestamp_hex;
end;

-- What people read.

-- Every number of every open entry, in dial order, with its tallies and its state in the running cycle. position 0 is the
-- primary phone.
create view hopper_number as
select
  entry.campaign_id,
  entry.contact_id,
  entry.entry_id,
  number.e164,
  number.contact_item_type_id,
  number.item_type,
  number.order_by,
  number.colour,
  number.dial_position,
  entry.cycle,
  coalesce((number.tally ->> 'total')::integer, 0) as total,
  coalesce(number.tally - 'total' - 'cycle', '{}'::jsonb) as tallies,
  case
    when exists (
      select 1 from attempt
      where attempt.campaign_id = entry.campaign_id and attempt.contact_id = entry.contact_id
        and attempt.e164 = number.e164 and attempt.state <> 'CLAIMED'
    ) then 'DIALING'
    when number.is_exhausted then 'EXHAUSTED'
    when number.is_dialed then 'DIALED'
    else 'PENDING'
  end as state
from hopper_entry entry
join campaign on campaign.campaign_id = entry.campaign_id
join campaign_settings settings
  on settings.campaign_id = campaign.campaign_id and settings.settings_version = campaign.settings_version
cross join lateral hopper_numbers(entry.contact_id, entry.cycle, entry.tallies, settings) number;

-- The additional phones of every open entry in the order in which they are dialed (O2): Order By of the item type, then its
-- name, untyped last; dial_position is 1..n. What this shows is what the dialer does. Sorted by campaign, contact and position;
-- the sort costs a page of it nothing, because PostgreSQL reads the entries in that order.
create view hopper_additional_phones as
select
  campaign_id, contact_id, entry_id, e164, contact_item_type_id, item_type, order_by, colour, dial_position, cycle, total,
  tallies, state
from hopper_number
where dial_position > 0
order by campaign_id, contact_id, dial_position;

-- What would be dialed next for every open entry that is not on a call, and when (R11).
create view next_calls as
select
  entry.campaign_id, entry.contact_id, entry.entry_id, entry.scheduled_at, decision.e164, decision.item_type,
  decision.dial_position, decision.cycle, decision.due_at, decision.rule, decision.close_reason
from hopper_entry entry
join campaign on campaign.campaign_id = entry.campaign_id
join campaign_settings settings
  on settings.campaign_id = campaign.campaign_id and settings.settings_version = campaign.settings_version
cross join lateral next_call(
  settings, entry.contact_id, entry.ready_at, entry.cycle, entry.tallies, entry.last_e164, entry.last_status,
  entry.last_ended_at
) decision
where entry.state = 'READY';

-- The conservation law (D6), one row a campaign: entries = ready + live + held + final; every live or held entry has exactly
-- one open attempt; calls counted = history rows. `holds` is true in every committed state.
create view conservation as
select
  counted.*,
  loaded_entries = ready_entries + live_entries + held_entries + final_entries
    and live_entries = open_attempts and held_entries = unknown_attempts and stray_attempts = 0
    and counted_calls = history_calls as holds
from (
  select
    campaign.campaign_id,
    (select coalesce(sum(loaded_count), 0) from hopper_load load where load.campaign_id = campaign.campaign_id)
      as loaded_entries,
    entries.ready_entries,
    entries.live_entries,
    entries.held_entries,
    finals.final_entries,
    attempts.open_attempts,
    attempts.unknown_attempts,
    attempts.stray_attempts,
    entries.counted_calls + finals.counted_calls as counted_calls,
    (select count(*) from history where history.campaign_id = campaign.campaign_id) as history_calls
  from campaign
  cross join lateral (
    select
      count(*) filter (where state = 'READY') as ready_entries,
      count(*) filter (where state = 'LIVE') as live_entries,
      count(*) filter (where state = 'HELD') as held_entries,
      coalesce(sum(attempts), 0) as counted_calls
    from hopper_entry entry
    where entry.campaign_id = campaign.campaign_id
  ) entries
  cross join lateral (
    select count(*) as final_entries, coalesce(sum(attempts), 0) as counted_calls
    from final
    where final.campaign_id = campaign.campaign_id
  ) finals
  cross join lateral (
    select
      count(*) filter (where attempt.state <> 'UNKNOWN' and entry.state = 'LIVE') as open_attempts,
      count(*) filter (where attempt.state = 'UNKNOWN' and entry.state = 'HELD') as unknown_attempts,
      count(*) filter (where entry.state is null or entry.state = 'READY'
        or (attempt.state = 'UNKNOWN') <> (entry.state = 'HELD')) as stray_attempts
    from attempt
    left join hopper_entry entry using (campaign_id, contact_id)
    where attempt.campaign_id = campaign.campaign_id
  ) attempts
) counted;

-- Campaigns with their present retry settings and their lists.
create view campaigns as
select
  campaign.campaign_id, campaign.name, campaign.state, campaign.priority, campaign.start_at, campaign.end_at,
  campaign.originate_timeout, campaign.caller_id, campaign.check_duplicate, campaign.duplicate_scope,
  campaign.quarantine, campaign.max_talk, campaign.settings_version, campaign.revision, campaign.created_at,
  campaign.updated_at, campaign.name_key,
  settings.global_max_attempts, settings.additional_phone_delay,
  settings.no_answer_max_attempts, settings.no_answer_retry_interval, settings.no_answer_on_failure,
  settings.busy_max_attempts, settings.busy_retry_interval, settings.busy_on_failure,
  settings.congestion_max_attempts, settings.congestion_retry_interval, settings.congestion_on_failure,
  settings.no_such_number_max_attempts, settings.no_such_number_retry_interval, settings.no_such_number_on_failure,
  settings.drop_max_attempts, settings.drop_retry_interval, settings.drop_on_failure,
  settings.abandoned_max_attempts, settings.abandoned_retry_interval, settings.abandoned_on_failure,
  settings.machine_max_attempts, settings.machine_retry_interval, settings.machine_on_failure,
  settings.agent_reject_max_attempts, settings.agent_reject_retry_interval, settings.agent_reject_on_failure,
  array(
    select attached.contact_list_id
    from campaign_list attached
    where attached.campaign_id = campaign.campaign_id
    order by attached.contact_list_id
  ) as contact_list_ids
from campaign
join campaign_settings settings
  on settings.campaign_id = campaign.campaign_id and settings.settings_version = campaign.settings_version;

-- Contacts as people read them.

-- Living contacts with all their numbers in dial order (O1), the primary first:
-- [{"e164", "entered", "contact_item_type_id", "item_type", "order_by", "colour", "dial_position"}].
create view contacts as
select
  contact.contact_id,
  contact.contact_list_id,
  contact.first_name,
  contact.last_name,
  contact.first_name_key,
  contact.last_name_key,
  contact.email,
  contact.company,
  contact.postal_address,
  contact.description,
  contact.priority,
  contact.earliest_call_at,
  contact.time_zone,
  contact.person_key,
  contact.revision,
  contact.created_at,
  contact.updated_at,
  (
    select jsonb_agg(to_jsonb(number) - 'contact_id' - 'entry_position' order by number.dial_position)
    from dial_order number
    where number.contact_id = contact.contact_id
  ) as phones
from contact
where contact.deleted_at is null;

-- Loading contacts into a campaign's hopper (E2).

-- Loads contacts of a list: one entry a contact, due at once or at the contact's earliest call time. only_contacts null means
-- the whole list. Answers how many were loaded and how many the duplicate check ruled out.
-- One statement loads all. Only contacts of this load that share a number are looked at one by one, in order of id: each is
-- loaded if its numbers are still free, so that the lower id wins and nobody is left out for the sake of a contact that was
-- left out itself.
-- Whether a contact has an entry is looked up by a scalar subquery, not by an anti-join: before the first analyze PostgreSQL
-- would scan the entries that this very statement inserts, 20 s instead of 0.3 s for 20,000 contacts.
-- Locks: the campaign row, so that two loads cannot let the same number in twice.
create function load_entries(of_campaign bigint, of_list bigint, only_contacts bigint[])
returns table (loaded_count bigint, duplicate_count bigint)
language plpgsql volatile
as $$
declare
  campaign campaign;
  moment timestamptz := clock();
  contested record;
  taken text[] := '{}';
  duplicates bigint[] := '{}';
begin
  select * into strict campaign from campaign c where c.campaign_id = of_campaign for no key update;

  if campaign.check_duplicate <> 'NEVER' then
    -- contacts with a number that is in the campaign already
    if exists (select 1 from hopper_load load where load.campaign_id = of_campaign and load.loaded_count > 0) then
      select coalesce(array_agg(contact.contact_id), '{}') into duplicates
      from contact
      where contact.contact_list_id = of_list and contact.deleted_at is null
        and (only_contacts is null or contact.contact_id = any(only_contacts))
        and (
          select true from hopper_entry entry
          where entry.campaign_id = of_campaign and entry.contact_id = contact.contact_id
        ) is null
        and exists (
          select 1
          from contact_phone phone
          join contact_phone other on other.e164 = phone.e164
          where phone.contact_id = contact.contact_id
            and (campaign.duplicate_scope = 'ANY_NUMBER' or (phone.entry_position = 0 and other.entry_position = 0))
            and (
              exists (
                select 1 from hopper_entry entry
                where entry.campaign_id = of_campaign and entry.contact_id = other.contact_id
              )
              or (
                campaign.check_duplicate = 'ALWAYS'
                and exists (
                  select 1 from final where final.campaign_id = of_campaign and final.contact_id = other.contact_id
                )
              )
            )
        );
    end if;

    -- contacts of this load that share a number with another one of it
    if only_contacts is null or cardinality(only_contacts) > 1 then
      for contested in
        with number as materialized (
          select phone.contact_id, phone.e164
          from contact
          join contact_phone phone on phone.contact_id = contact.contact_id
          where contact.contact_list_id = of_list and contact.deleted_at is null
            and (only_contacts is null or contact.contact_id = any(only_contacts))
            and (campaign.duplicate_scope = 'ANY_NUMBER' or phone.entry_position = 0)
            and (
              select true from hopper_entry entry
              where entry.campaign_id = of_campaign and entry.contact_id = contact.contact_id
            ) is null
            and not exists (
              select 1 from unnest(duplicates) as duplicate (contact_id)
              where duplicate.contact_id = contact.contact_id
            )
        ),
        shared as (select e164 from number group by e164 having count(*) > 1)
        select number.contact_id, array_agg(number.e164::text) as numbers
        from number
        join shared on shared.e164 = number.e164
        group by number.contact_id
        order by number.contact_id
      loop
        if contested.numbers && taken then
          duplicates := duplicates || contested.contact_id;
        else
          taken := taken || contested.numbers;
        end if;
      end loop;
    end if;
  end if;

  insert into hopper_entry (campaign_id, contact_id, priority, loaded_at, ready_at, scheduled_at)
  select
    of_campaign, contact.contact_id, contact.priority, moment, greatest(moment, contact.earliest_call_at),
    greatest(moment, contact.earliest_call_at)
  from contact
  where contact.contact_list_id = of_list and contact.deleted_at is null
    and (only_contacts is null or contact.contact_id = any(only_contacts))
    and (
      select true from hopper_entry entry
      where entry.campaign_id = of_campaign and entry.contact_id = contact.contact_id
    ) is null
    and not exists (
      select 1 from unnest(duplicates) as duplicate (contact_id) where duplicate.contact_id = contact.contact_id
    )
  order by contact.contact_id;
  get diagnostics loaded_count = row_count;

  duplicate_count := cardinality(duplicates);
  insert into hopper_load (campaign_id, contact_list_id, loaded_count, duplicate_count, loaded_at)
  values (of_campaign, of_list, loaded_count, duplicate_count, moment);
  return next;
end;
$$;

-- What would be dialed (the RPC PlanCalls): the same decision, run forward over assumed outcomes.

-- Plans the calls of a stored contact, from the facts of an entry, by calling next_call until it closes or max_calls is
-- reached. outcomes maps a number to its sequence of statuses, and '' to the sequence of all other numbers; the last status
-- of a sequence repeats. Calls take no time. Changes nothing.
-- live is the entry's live call, if it is on one: it comes first, as if it ended at once.
-- One row a call; then one with close_reason, unless max_calls came first.
create function plan_calls(
  settings campaign_settings, of_contact bigint, ready_at timestamptz, cycle integer, attempts integer, tallies jsonb,
  last_e164 text, last_item_type text, last_status text, last_ended_at timestamptz,
  live attempt, starts_at timestamptz, outcomes jsonb, max_calls integer
) returns table (
  call_at timestamptz, e164 text, item_type text, call_cycle integer, dial_position integer, attempt_number integer,
  status text, rule text, close_reason text
)
language plpgsql stable
as $$
declare
  decision record;
  earliest timestamptz := greatest(starts_at, last_ended_at);
  used jsonb := '{}';
  sequence_of text;
  use integer;
begin
  for planned in 1..max_calls + 1 loop
    if planned = 1 and live.attempt_id is not null then
      select
        live.e164::text as e164, live.item_type as item_type, live.cycle as cycle, live.dial_position as dial_position,
        live.claimed_at as due_at, live.rule as rule, null::text as close_reason
      into strict decision;
    else
      select * into strict decision
      from next_call(settings, of_contact, ready_at, cycle, tallies, last_e164, last_status, last_ended_at);
    end if;
    if decision.close_reason is not null then
      call_at := last_ended_at;
      e164 := last_e164;
      item_type := last_item_type;
      call_cycle := case when attempts = 0 then 0 else cycle end;
      dial_position := null;
      attempt_number := attempts;
      status := last_status;
      rule := null;
      close_reason := decision.close_reason;
      return next;
      return;
    end if;
    exit when planned > max_calls;

    sequence_of := case when outcomes ? decision.e164 then decision.e164 else '' end;
    use := coalesce((used ->> sequence_of)::integer, 0);
    used := used || jsonb_build_object(sequence_of, use + 1);
    attempts := attempts + 1;
    call_at := greatest(decision.due_at, earliest);
    e164 := decision.e164;
    item_type := decision.item_type;
    call_cycle := decision.cycle;
    dial_position := decision.dial_position;
    attempt_number := attempts;
    status := outcomes -> sequence_of ->> least(use, jsonb_array_length(outcomes -> sequence_of) - 1);
    rule := decision.rule;
    return next;

    cycle := decision.cycle;
    tallies := count_call(tallies, decision.e164, status, decision.cycle);
    last_e164 := decision.e164;
    last_item_type := decision.item_type;
    last_status := status;
    last_ended_at := call_at;
    earliest := call_at;
  end loop;
end;
$$;

-- migrate:down
