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
