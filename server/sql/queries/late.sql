-- Reports about attempts that are not held any more (D2, D3).

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
