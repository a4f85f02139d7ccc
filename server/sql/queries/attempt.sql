-- Live attempts: begun, renewed, ended, released (R2-R7, D2-D5). Every statement names the attempt and its lease token, and finds
-- the row by its primary key.

-- name: wait_for_campaigns :exec
-- Takes the shared lock of each campaign, after any pause, stop or deletion under way: what commits before this returns is
-- seen by the next statement.
select pg_advisory_xact_lock_shared(campaign_lock(campaign_id))
from (select distinct campaign_id from unnest(%(campaign_ids)s::bigint[]) as campaign_id order by 1) campaigns;

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
  next_calls.campaign_id, next_calls.contact_id, null as close_reason, next_calls.scheduled_at as due_at,
  next_calls.scheduled_at - clock() as due_in, next_calls.rule as next_rule, next_calls.e164 as next_e164,
  next_calls.item_type as next_item_type
from unnest(%(campaign_ids)s::bigint[], %(contact_ids)s::bigint[]) as key (campaign_id, contact_id)
join next_calls on next_calls.campaign_id = key.campaign_id and next_calls.contact_id = key.contact_id;

-- name: set_person_of_attempts :exec
-- Lets the live calls of a contact hold the person that it is now (C1, D1). Two live calls of one person are refused by the
-- unique key. The caller has the entries' locks.
update attempt
set person = coalesce('key:' || contact.person_key, 'contact:' || contact.contact_id)
from contact
where contact.contact_id = %(contact_id)s::bigint and attempt.contact_id = contact.contact_id
  and attempt.campaign_id = any(array(select campaign_id from campaign));

-- name: list_attempts_of_worker :many
-- Live attempts of one worker. Reads the whole of attempt, which has one row a live call.
select campaign_id, contact_id, attempt_id, lease_token, state from attempt where worker_id = %(worker_id)s::text;
