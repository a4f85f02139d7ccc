-- What workers do: claim, begin, renew, report, release. Every statement after the claim names the attempt and its lease
-- token, and finds the row by its primary key.

-- name: find_claim_requests :many
-- Which of these claims were served before.
select request_id from claim_request where request_id = any(%(request_ids)s::uuid[]);

-- name: find_claimed_attempts :many
-- The attempts that earlier claims with these request ids got and that are still held, for callers that ask again (D2).
-- One row an attempt, most urgent first: request_id and the columns of claim_attempts.
with moment as materialized (select clock() as at)
select
  claim.request_id, attempt.*, campaign.originate_timeout, campaign.caller_id, contact.first_name, contact.last_name,
  greatest(attempt.lease_expires_at - moment.at, interval '0') as lease
from moment, claim_request claim
cross join lateral unnest(claim.campaign_ids, claim.contact_ids)
  with ordinality as claimed (campaign_id, contact_id, place)
join attempt
  on attempt.campaign_id = claimed.campaign_id and attempt.contact_id = claimed.contact_id
  and attempt.lease_token = claim.lease_token
join campaign on campaign.campaign_id = attempt.campaign_id
join contact on contact.contact_id = attempt.contact_id
where claim.request_id = any(%(request_ids)s::uuid[]) and attempt.state <> 'UNKNOWN'
order by claim.request_id, claimed.place;

-- name: lock_due_entries :many
-- Locks up to max_attempts due entries of running campaigns and answers their keys in the order of E3: campaign priority,
-- contact priority, scheduled time, contact. campaign_ids null means all campaigns.
-- First it reads, without locks, how many entries each campaign and priority contributes to the most urgent ones; then it
-- locks as many of each, passing over what other claims hold. A short answer so does not mean that nothing else is due.
-- Index: hopper_entry_due, for all three steps.
with recursive
moment as materialized (select clock() as at),
dialing as materialized (
  select campaign.campaign_id, campaign.priority
  from campaign, moment
  where campaign.state = 'RUNNING'
    and (campaign.start_at is null or campaign.start_at <= moment.at)
    and (campaign.end_at is null or campaign.end_at > moment.at)
    and (%(campaign_ids)s::bigint[] is null or campaign.campaign_id = any(%(campaign_ids)s::bigint[]))
),
slice (campaign_id, campaign_priority, priority) as (
  select
    dialing.campaign_id,
    dialing.priority,
    (
      select min(entry.priority) from hopper_entry entry
      where entry.campaign_id = dialing.campaign_id and entry.state = 'READY'
    )
  from dialing
  union all
  select
    slice.campaign_id,
    slice.campaign_priority,
    (
      select min(entry.priority) from hopper_entry entry
      where entry.campaign_id = slice.campaign_id and entry.state = 'READY' and entry.priority > slice.priority
    )
  from slice
  where slice.priority is not null
),
urgent as materialized (
  select slice.campaign_id, slice.campaign_priority, slice.priority
  from slice
  cross join lateral (
    select entry.scheduled_at, entry.contact_id
    from hopper_entry entry
    where entry.campaign_id = slice.campaign_id and entry.priority = slice.priority and entry.state = 'READY'
      and entry.scheduled_at <= (select at from moment)
    order by entry.scheduled_at, entry.contact_id
    limit %(max_attempts)s::integer
  ) due
  where slice.priority is not null
  order by slice.campaign_priority, slice.priority, due.scheduled_at, due.contact_id
  limit %(max_attempts)s::integer
),
share as materialized (
  select campaign_id, campaign_priority, priority, count(*) as entries
  from urgent
  group by campaign_id, campaign_priority, priority
)
select locked.campaign_id, locked.contact_id
from share
cross join lateral (
  select entry.campaign_id, entry.contact_id, entry.scheduled_at
  from hopper_entry entry
  where entry.campaign_id = share.campaign_id and entry.priority = share.priority and entry.state = 'READY'
    and entry.scheduled_at <= (select at from moment)
  order by entry.scheduled_at, entry.contact_id
  limit share.entries
  for no key update of entry skip locked
) locked
order by share.campaign_priority, share.priority, locked.scheduled_at, locked.contact_id;

-- name: share_campaigns :many
-- Tries the shared lock of each campaign and answers those that gave it. One that did not is being paused, stopped or
-- deleted at this moment: its entries are left alone. Never waits.
select campaign_id
from unnest(%(campaign_ids)s::bigint[]) as campaign_id
where pg_try_advisory_xact_lock_shared(campaign_lock(campaign_id));

-- name: wait_for_campaigns :exec
-- Takes the shared lock of each campaign, after any pause, stop or deletion under way: what commits before this returns is
-- seen by the next statement.
select pg_advisory_xact_lock_shared(campaign_lock(campaign_id))
from (select distinct campaign_id from unnest(%(campaign_ids)s::bigint[]) as campaign_id order by 1) campaigns;

-- name: claim_attempts :many
-- Decides locked entries again (R11) and makes attempts of those whose call is due, for several callers at once: the first
-- caller gets the most urgent ones, as many as it asked for. Keys in order of urgency; one array element a caller. The rows
-- come in any order.
--   due and free           -> an attempt and the entry LIVE: a row with attempt_id and caller, from 1
--   person or number busy  -> no row: the entry is for defer_busy_entries
--   now due later          -> a row with due_at, for move_entries
--   no number left         -> a row with close_reason, for close_entries
-- Locks: attempts, through their unique keys. Index: primary keys. No two CTEs are joined by key: PostgreSQL expects one row
-- of each, and would compare all with all (311 ms instead of 30 ms for 500).
with
moment as materialized (select clock() as at),
caller as materialized (
  select
    wanted.caller, wanted.worker_id, wanted.lease_token, wanted.lease, wanted.begins,
    sum(wanted.max_attempts) over (order by wanted.caller) - wanted.max_attempts as served_before,
    sum(wanted.max_attempts) over (order by wanted.caller) as served
  from unnest(
    %(worker_ids)s::text[], %(lease_tokens)s::uuid[], %(max_attempts)s::integer[], %(leases)s::interval[],
    %(begins)s::boolean[]
  ) with ordinality as wanted (worker_id, lease_token, max_attempts, lease, begins, caller)
),
decided as materialized (
  select
    locked.place, entry.campaign_id, entry.contact_id, entry.entry_id, entry.scheduled_at, entry.attempts,
    campaign.originate_timeout, campaign.settings_version,
    coalesce('key:' || contact.person_key, 'contact:' || contact.contact_id) as person,
    decision.e164, decision.contact_item_type_id, decision.item_type, decision.dial_position, decision.cycle,
    decision.starts_cycle, decision.due_at, decision.rule, decision.close_reason,
    decision.close_reason is null and decision.due_at <= moment.at as is_due
  from unnest(%(campaign_ids)s::bigint[], %(contact_ids)s::bigint[])
    with ordinality as locked (campaign_id, contact_id, place)
  cross join moment
  join hopper_entry entry on entry.campaign_id = locked.campaign_id and entry.contact_id = locked.contact_id
  join contact on contact.contact_id = entry.contact_id
  join campaign on campaign.campaign_id = entry.campaign_id
  join campaign_settings settings
    on settings.campaign_id = campaign.campaign_id and settings.settings_version = campaign.settings_version
  cross join lateral next_call(
    settings, entry.contact_id, entry.ready_at, entry.cycle, entry.tallies, entry.last_e164, entry.last_status,
    entry.last_ended_at
  ) decision
  where entry.state = 'READY' and campaign.state = 'RUNNING'
    and (campaign.start_at is null or campaign.start_at <= moment.at)
    and (campaign.end_at is null or campaign.end_at > moment.at)
),
dialable as materialized (
  select decided.*, row_number() over (order by place) as turn from decided where is_due
),
claimed as (
  insert into attempt (
    campaign_id, contact_id, entry_id, attempt_id, lease_token, state, person, e164, contact_item_type_id, item_type,
    dial_position, cycle, starts_cycle, attempt_number, rule, settings_version, worker_id, scheduled_at, claimed_at,
    begun_at, lease_expires_at
  )
  select
    dialable.campaign_id, dialable.contact_id, dialable.entry_id, uuid_at(moment.at), caller.lease_token,
    case when caller.begins then 'DIALING' else 'CLAIMED' end, dialable.person, dialable.e164,
    dialable.contact_item_type_id, dialable.item_type, dialable.dial_position, dialable.cycle, dialable.starts_cycle,
    dialable.attempts + 1, dialable.rule, dialable.settings_version, caller.worker_id, dialable.scheduled_at, moment.at,
    case when caller.begins then moment.at end,
    moment.at + case when caller.begins then greatest(caller.lease, dialable.originate_timeout) else caller.lease end
  from dialable
  cross join moment
  join caller on dialable.turn > caller.served_before and dialable.turn <= caller.served
  -- Of two entries of one person or number, the more urgent one gets the attempt (E3).
  order by dialable.turn
  on conflict do nothing
  returning *
),
live as (
  update hopper_entry entry
  set
    state = 'LIVE',
    cycle = case when claimed.begun_at is null then entry.cycle else claimed.cycle end
  from claimed
  where entry.campaign_id = claimed.campaign_id and entry.contact_id = claimed.contact_id
  returning entry.contact_id
)
select
  caller.caller, claimed.campaign_id, claimed.contact_id, null as close_reason, null::timestamptz as due_at,
  claimed.entry_id, claimed.attempt_id, claimed.lease_token, claimed.state, claimed.e164,
  claimed.contact_item_type_id, claimed.item_type, claimed.dial_position, claimed.cycle, claimed.attempt_number,
  claimed.rule, claimed.scheduled_at, claimed.lease_expires_at - moment.at as lease, campaign.originate_timeout,
  campaign.caller_id, contact.first_name, contact.last_name
from claimed
cross join moment
join caller on caller.lease_token = claimed.lease_token
join campaign on campaign.campaign_id = claimed.campaign_id
join contact on contact.contact_id = claimed.contact_id
union all
select
  null, decided.campaign_id, decided.contact_id, decided.close_reason, decided.due_at, null, null, null, null, null,
  null, null, null, null, null, null, null, null, null, null, null, null
from decided
where not decided.is_due;

-- name: move_entries :exec
-- Moves locked entries to the moment that a claim found them due at. One element an entry.
update hopper_entry entry
set scheduled_at = moved.due_at
from unnest(%(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(due_ats)s::timestamptz[])
  as moved (campaign_id, contact_id, due_at)
where entry.campaign_id = moved.campaign_id and entry.contact_id = moved.contact_id;

-- name: defer_busy_entries :exec
-- Lets locked entries wait 30 s that are due and did not get an attempt: their person or number is on a call elsewhere (D1).
-- Entries of a campaign that does not dial any more were not tried and stay where they are.
update hopper_entry entry
set scheduled_at = clock() + interval '30 s', deferred_until = clock() + interval '30 s'
from unnest(%(campaign_ids)s::bigint[], %(contact_ids)s::bigint[]) as busy (campaign_id, contact_id)
join campaign on campaign.campaign_id = busy.campaign_id
where entry.campaign_id = busy.campaign_id and entry.contact_id = busy.contact_id
  and campaign.state = 'RUNNING' and (campaign.end_at is null or campaign.end_at > clock());

-- name: insert_claim_requests :exec
-- Remembers which attempts each claim got. One element a claimed attempt; the claims of one request id are one row. A request
-- id that another server stored in this very moment is refused by the primary key, and the whole claim is rolled back.
insert into claim_request (request_id, worker_id, lease_token, campaign_ids, contact_ids, claimed_at)
select
  request_id, min(worker_id), (array_agg(lease_token))[1], array_agg(campaign_id order by place),
  array_agg(contact_id order by place), clock()
from unnest(
  %(request_ids)s::uuid[], %(worker_ids)s::text[], %(lease_tokens)s::uuid[], %(campaign_ids)s::bigint[],
  %(contact_ids)s::bigint[]
) with ordinality as claimed (request_id, worker_id, lease_token, campaign_id, contact_id, place)
group by request_id;

-- name: next_due_in :one
-- Time until the next ready entry of the running campaigns is due; null when there is none. Negative: due now.
-- Index: hopper_entry_due, one row a campaign and priority.
with recursive
dialing as materialized (
  select campaign_id, start_at from campaign
  where state = 'RUNNING' and (end_at is null or end_at > clock())
    and (%(campaign_ids)s::bigint[] is null or campaign_id = any(%(campaign_ids)s::bigint[]))
),
slice (campaign_id, start_at, priority) as (
  select
    dialing.campaign_id,
    dialing.start_at,
    (
      select min(entry.priority) from hopper_entry entry
      where entry.campaign_id = dialing.campaign_id and entry.state = 'READY'
    )
  from dialing
  union all
  select
    slice.campaign_id,
    slice.start_at,
    (
      select min(entry.priority) from hopper_entry entry
      where entry.campaign_id = slice.campaign_id and entry.state = 'READY' and entry.priority > slice.priority
    )
  from slice
  where slice.priority is not null
)
select min(greatest(first_due.scheduled_at, slice.start_at)) - clock() as due_in
from slice
cross join lateral (
  select entry.scheduled_at
  from hopper_entry entry
  where entry.campaign_id = slice.campaign_id and entry.priority = slice.priority and entry.state = 'READY'
  order by entry.scheduled_at
  limit 1
) first_due
where slice.priority is not null;

-- name: lock_entries :exec
-- Locks open entries in lock order, so that the next statement of the transaction sees them as they are.
select entry.contact_id
from unnest(%(campaign_ids)s::bigint[], %(contact_ids)s::bigint[]) as key (campaign_id, contact_id)
join hopper_entry entry on entry.campaign_id = key.campaign_id and entry.contact_id = key.contact_id
order by entry.campaign_id, entry.contact_id
for no key update of entry;

-- name: begin_attempts :many
-- Gives the permission to dial (D2): CLAIMED becomes DIALING if the lease holds, the campaign dials, the entry is wanted and
-- the contact still has the number. The caller has the campaigns' shared locks and the entries' locks.
-- One row a held attempt, with its place in the arrays, from 1: begun now or before (state DIALING), or refused (is_allowed
-- false), or with its lease over.
with
moment as materialized (select clock() as at),
held as materialized (
  select
    lease.place, attempt.campaign_id, attempt.contact_id, attempt.attempt_id, attempt.state, attempt.lease_expires_at,
    attempt.cycle, campaign.originate_timeout,
    attempt.state <> 'UNKNOWN' and attempt.lease_expires_at > moment.at as is_held,
    campaign.state = 'RUNNING'
      and (campaign.start_at is null or campaign.start_at <= moment.at)
      and (campaign.end_at is null or campaign.end_at > moment.at)
      and entry.close_as is null
      and exists (
        select 1 from contact_phone phone where phone.contact_id = attempt.contact_id and phone.e164 = attempt.e164
      ) as is_allowed
  from unnest(
    %(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(attempt_ids)s::uuid[], %(lease_tokens)s::uuid[]
  ) with ordinality as lease (campaign_id, contact_id, attempt_id, lease_token, place)
  cross join moment
  join attempt
    on attempt.campaign_id = lease.campaign_id and attempt.contact_id = lease.contact_id
    and attempt.attempt_id = lease.attempt_id and attempt.lease_token = lease.lease_token
  join campaign on campaign.campaign_id = attempt.campaign_id
  join hopper_entry entry on entry.campaign_id = attempt.campaign_id and entry.contact_id = attempt.contact_id
),
begun as (
  update attempt
  set
    state = 'DIALING',
    begun_at = moment.at,
    lease_expires_at = moment.at + greatest(%(lease)s::interval, held.originate_timeout)
  from held, moment
  where attempt.campaign_id = held.campaign_id and attempt.contact_id = held.contact_id
    and attempt.attempt_id = held.attempt_id and attempt.state = 'CLAIMED' and held.is_held and held.is_allowed
  returning attempt.campaign_id, attempt.contact_id, attempt.cycle, attempt.begun_at, attempt.lease_expires_at
),
advanced as (
  update hopper_entry entry
  set cycle = begun.cycle
  from begun
  where entry.campaign_id = begun.campaign_id and entry.contact_id = begun.contact_id
  returning entry.contact_id
)
select
  held.place, held.campaign_id, held.contact_id, held.attempt_id, held.is_held, held.is_allowed,
  held.state = 'DIALING' or begun.begun_at is not null as is_begun,
  coalesce(begun.lease_expires_at, held.lease_expires_at) - moment.at as lease
from held
cross join moment
left join begun on begun.campaign_id = held.campaign_id and begun.contact_id = held.contact_id;

-- name: renew_leases :many
-- Makes leases last longer and notes which calls were answered (D3). An attempt that was given up as UNKNOWN comes back to
-- life: its person and number were held for it. The caller has the entries' locks. One row a renewed lease.
with
moment as materialized (select clock() as at),
renewed as (
  update attempt
  set
    state = case when attempt.state = 'CLAIMED' then 'CLAIMED' else 'DIALING' end,
    held_until = null,
    answered_at = coalesce(
      attempt.answered_at, case when renewal.is_answered and attempt.state <> 'CLAIMED' then moment.at end
    ),
    lease_expires_at = greatest(attempt.lease_expires_at, moment.at + %(lease)s::interval)
  from moment, unnest(
    %(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(attempt_ids)s::uuid[], %(lease_tokens)s::uuid[],
    %(are_answered)s::boolean[]
  ) with ordinality as renewal (campaign_id, contact_id, attempt_id, lease_token, is_answered, place)
  where attempt.campaign_id = renewal.campaign_id and attempt.contact_id = renewal.contact_id
    and attempt.attempt_id = renewal.attempt_id and attempt.lease_token = renewal.lease_token
    and (attempt.state <> 'CLAIMED' or attempt.lease_expires_at > moment.at)
  returning
    renewal.place, attempt.campaign_id, attempt.contact_id, attempt.attempt_id, attempt.lease_expires_at - moment.at as lease
),
revived as (
  update hopper_entry entry
  set state = 'LIVE'
  from renewed
  where entry.campaign_id = renewed.campaign_id and entry.contact_id = renewed.contact_id and entry.state = 'HELD'
  returning entry.contact_id
)
select place, attempt_id, lease from renewed;

-- name: end_attempts :many
-- Ends begun attempts (R2-R7): takes them out of attempt, writes history, counts, decides, and moves the entries. The one
-- statement behind reports and the end of a hold. The caller has the entries' locks.
-- ended_at null means ended_ago before now, clamped between the begin and now (D4).
-- One row an ended attempt; one with close_reason is for close_entries. `moved` is how many entries changed: the caller rolls
-- back unless it equals the rows.
-- Finds every row by its primary key; by ctid, concurrent changes would be lost silently.
with
moment as materialized (select clock() as at),
ended as materialized (
  delete from attempt
  using moment, unnest(
    %(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(attempt_ids)s::uuid[], %(lease_tokens)s::uuid[],
    %(statuses)s::text[], %(rings)s::interval[], %(talks)s::interval[], %(ended_agos)s::interval[],
    %(ended_ats)s::timestamptz[], %(causes)s::text[], %(channels)s::text[]
  ) with ordinality as report (
    campaign_id, contact_id, attempt_id, lease_token, status, ring, talk, ended_ago, ended_at, telephony_cause,
    channel_id, place
  )
  where attempt.campaign_id = report.campaign_id and attempt.contact_id = report.contact_id
    and attempt.attempt_id = report.attempt_id and attempt.lease_token = report.lease_token
    and attempt.state in ('DIALING', 'UNKNOWN')
  returning
    attempt.*, report.place, report.status, report.telephony_cause, report.channel_id, report.ring, report.talk,
    coalesce(
      report.ended_at, greatest(attempt.begun_at, moment.at - greatest(report.ended_ago, interval '0'))
    ) as ended_at
),
counted as materialized (
  select
    ended.*,
    least(ended.talk, ended.ended_at - ended.begun_at) as talk_within,
    least(ended.ring, ended.ended_at - ended.begun_at) as ring_within,
    entry.ready_at,
    entry.close_as,
    count_call(entry.tallies, ended.e164, ended.status, ended.cycle) as tallies
  from ended
  join hopper_entry entry on entry.campaign_id = ended.campaign_id and entry.contact_id = ended.contact_id
),
decided as materialized (
  select
    counted.*,
    decision.due_at, decision.rule as next_rule, decision.e164 as next_e164, decision.item_type as next_item_type,
    case
      when counted.status = 'ANSWERED' then 'REACHED' else coalesce(counted.close_as, decision.close_reason)
    end as close_reason
  from counted
  join campaign on campaign.campaign_id = counted.campaign_id
  join campaign_settings settings
    on settings.campaign_id = campaign.campaign_id and settings.settings_version = campaign.settings_version
  cross join lateral next_call(
    settings, counted.contact_id, counted.ready_at, counted.cycle, counted.tallies, counted.e164, counted.status,
    counted.ended_at
  ) decision
),
recorded as (
  insert into history (
    attempt_id, claimed_at, lease_token, campaign_id, contact_id, entry_id, e164, item_type, status, cycle,
    dial_position, attempt_number, rule, settings_version, worker_id, scheduled_at, begun_at, answered_at, ended_at,
    ring, talk, telephony_cause, channel_id
  )
  select
    attempt_id, claimed_at, lease_token, campaign_id, contact_id, entry_id, e164, item_type, status, cycle,
    dial_position, attempt_number, rule, settings_version, worker_id, scheduled_at, begun_at,
    case
      when status in ('ANSWERED', 'DROP', 'ABANDONED', 'MACHINE')
      then least(coalesce(answered_at, ended_at - talk_within), ended_at)
    end,
    ended_at, ring_within, talk_within, telephony_cause, channel_id
  from decided
  returning attempt_id
),
moved as (
  update hopper_entry entry
  set
    state = 'READY',
    close_as = null,
    scheduled_at = coalesce(decided.due_at, decided.ended_at),
    cycle = decided.cycle,
    attempts = decided.attempt_number,
    first_begun_at = coalesce(entry.first_begun_at, decided.begun_at),
    tallies = decided.tallies,
    last_e164 = decided.e164,
    last_item_type = decided.item_type,
    last_status = decided.status,
    last_ended_at = decided.ended_at
  from decided
  where entry.campaign_id = decided.campaign_id and entry.contact_id = decided.contact_id
    and entry.state in ('LIVE', 'HELD')
  returning entry.contact_id
)
select
  decided.place, decided.campaign_id, decided.contact_id, decided.attempt_id, decided.close_reason, decided.due_at,
  decided.due_at - moment.at as due_in, decided.next_rule, decided.next_e164, decided.next_item_type,
  (select count(*) from moved) as moved
from decided
cross join moment
order by decided.place;

-- name: release_attempts :many
-- Gives attempts back uncounted, whether they were begun or not (reason NOT_DIALED) or only such that were not (all other
-- reasons); the entries are due again after `delay` (D2, D3, D5). The caller has the entries' locks.
-- One row a released attempt; one with close_as is for close_entries. A begun attempt gives its cycle back: nothing was dialed
-- in it.
with
moment as materialized (select clock() as at),
released as materialized (
  delete from attempt
  using unnest(
    %(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(attempt_ids)s::uuid[], %(lease_tokens)s::uuid[]
  ) with ordinality as lease (campaign_id, contact_id, attempt_id, lease_token, place)
  where attempt.campaign_id = lease.campaign_id and attempt.contact_id = lease.contact_id
    and attempt.attempt_id = lease.attempt_id and attempt.lease_token = lease.lease_token
    and (attempt.state = 'CLAIMED' or %(reason)s::text = 'NOT_DIALED')
  returning attempt.*, lease.place
),
remembered as (
  insert into released_attempt (
    attempt_id, lease_token, campaign_id, contact_id, entry_id, e164, worker_id, was_begun, reason, released_at
  )
  select
    released.attempt_id, released.lease_token, released.campaign_id, released.contact_id, released.entry_id,
    released.e164, released.worker_id, released.begun_at is not null, %(reason)s::text, moment.at
  from released, moment
  returning attempt_id
),
ready as (
  update hopper_entry entry
  set
    state = 'READY',
    close_as = null,
    scheduled_at = moment.at + %(delay)s::interval,
    deferred_until = moment.at + %(delay)s::interval,
    cycle = case
      when released.begun_at is not null and released.starts_cycle then released.cycle - 1 else entry.cycle
    end
  from released, moment
  where entry.campaign_id = released.campaign_id and entry.contact_id = released.contact_id
  returning entry.contact_id
)
select
  released.place, released.campaign_id, released.contact_id, released.attempt_id, entry.close_as as close_reason,
  moment.at + %(delay)s::interval as due_at
from released
cross join moment
join hopper_entry entry on entry.campaign_id = released.campaign_id and entry.contact_id = released.contact_id
order by released.place;

-- name: find_decisions :many
-- What comes next for ready entries, as end_attempts says it. One row an entry.
select
  next_calls.campaign_id, next_calls.contact_id, next_calls.close_reason, next_calls.scheduled_at as due_at,
  next_calls.scheduled_at - clock() as due_in, next_calls.rule as next_rule, next_calls.e164 as next_e164,
  next_calls.item_type as next_item_type
from unnest(%(campaign_ids)s::bigint[], %(contact_ids)s::bigint[]) as key (campaign_id, contact_id)
join next_calls on next_calls.campaign_id = key.campaign_id and next_calls.contact_id = key.contact_id;

-- name: find_held_attempts :many
-- Which of these attempts are held, and in which state. One row a held attempt, with its place in the arrays, from 1.
select lease.place, attempt.state
from unnest(
  %(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(attempt_ids)s::uuid[], %(lease_tokens)s::uuid[]
) with ordinality as lease (campaign_id, contact_id, attempt_id, lease_token, place)
join attempt
  on attempt.campaign_id = lease.campaign_id and attempt.contact_id = lease.contact_id
  and attempt.attempt_id = lease.attempt_id and attempt.lease_token = lease.lease_token;

-- name: find_ended_attempts :many
-- What became of attempts that are not held any more: in history (status) or released (release_reason). One row each, with
-- its place in the arrays, from 1; none for an attempt that never was.
-- The moment in the UUIDv7 leads to the partition of history.
select
  lease.place, history.status, history.claimed_at, history.campaign_id, history.contact_id, history.entry_id,
  history.attempt_number,
  released.reason as release_reason
from unnest(%(attempt_ids)s::uuid[], %(lease_tokens)s::uuid[])
  with ordinality as lease (attempt_id, lease_token, place)
cross join lateral (
  select to_timestamp(
    ('x' || lpad(substr(replace(lease.attempt_id::text, '-', ''), 1, 12), 16, '0'))::bit(64)::bigint / 1000.0
  ) as claimed_at
) stamp
left join history
  on history.attempt_id = lease.attempt_id and history.lease_token = lease.lease_token
  and history.claimed_at between stamp.claimed_at - interval '1 s' and stamp.claimed_at + interval '1 s'
left join released_attempt released
  on released.attempt_id = lease.attempt_id and released.lease_token = lease.lease_token
where history.attempt_id is not null or released.attempt_id is not null;

-- name: insert_late_reports :exec
-- Keeps reports that decided nothing as evidence (D2). One element a report.
insert into late_report (attempt_id, outcome, answer, ring, talk, telephony_cause, channel_id, received_at)
select attempt_id, outcome, answer, ring, talk, telephony_cause, channel_id, clock()
from unnest(
  %(attempt_ids)s::uuid[], %(outcomes)s::text[], %(answers)s::text[], %(rings)s::interval[], %(talks)s::interval[],
  %(causes)s::text[], %(channels)s::text[]
) as report (attempt_id, outcome, answer, ring, talk, telephony_cause, channel_id);

-- name: correct_history :exec
-- Replaces UNKNOWN by what a late report says (D3). Changes no decision taken. One element a report.
update history
set
  status = report.status,
  is_corrected = true,
  ring = least(report.ring, history.ended_at - history.begun_at),
  talk = least(report.talk, history.ended_at - history.begun_at),
  answered_at = case
    when report.status in ('ANSWERED', 'DROP', 'ABANDONED', 'MACHINE')
    then history.ended_at - least(report.talk, history.ended_at - history.begun_at)
  end,
  telephony_cause = report.telephony_cause,
  channel_id = report.channel_id,
  recorded_in = pg_current_xact_id()
from unnest(
  %(attempt_ids)s::uuid[], %(claimed_ats)s::timestamptz[], %(statuses)s::text[], %(rings)s::interval[],
  %(talks)s::interval[], %(causes)s::text[], %(channels)s::text[]
) as report (attempt_id, claimed_at, status, ring, talk, telephony_cause, channel_id)
where history.attempt_id = report.attempt_id and history.claimed_at = report.claimed_at and history.status = 'UNKNOWN';

-- name: reach_entries :many
-- A late ANSWERED closes the open entry, after any live call of it (D3). The caller has the entries' locks. One row an entry
-- that is ready, for close_entries; the others close when their call is reported.
with
reached as materialized (
  select entry.campaign_id, entry.contact_id, entry.state, entry.attempts = late.attempt_number as is_last_call
  from unnest(
    %(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(entry_ids)s::bigint[], %(attempt_numbers)s::integer[]
  ) as late (campaign_id, contact_id, entry_id, attempt_number)
  join hopper_entry entry
    on entry.campaign_id = late.campaign_id and entry.contact_id = late.contact_id and entry.entry_id = late.entry_id
),
corrected as (
  update hopper_entry entry
  set
    last_status = case when reached.is_last_call then 'ANSWERED' else entry.last_status end,
    close_as = case when reached.state = 'READY' then null else 'REACHED' end
  from reached
  where entry.campaign_id = reached.campaign_id and entry.contact_id = reached.contact_id
  returning entry.contact_id
)
select campaign_id, contact_id, 'REACHED' as close_reason from reached where state = 'READY';

-- name: stop_worker :exec
-- Notes that a worker drains.
insert into stopped_worker (worker_id, stopped_at) values (%(worker_id)s::text, clock())
on conflict (worker_id) do nothing;

-- name: find_stopped_workers :many
-- Which of these workers drain.
select worker_id from stopped_worker where worker_id = any(%(worker_ids)s::text[]);

-- name: list_attempts_of_worker :many
-- Live attempts of one worker. Reads the whole of attempt, which has one row a live call.
select campaign_id, contact_id, attempt_id, lease_token, state from attempt where worker_id = %(worker_id)s::text;
