-- Claims: which entries are due, and who gets their attempts (E3, D1, D2, R11).

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

-- name: stop_worker :exec
-- Notes that a worker drains.
insert into stopped_worker (worker_id, stopped_at) values (%(worker_id)s::text, clock())
on conflict (worker_id) do nothing;

-- name: find_stopped_workers :many
-- Which of these workers drain.
select worker_id from stopped_worker where worker_id = any(%(worker_ids)s::text[]);
