-- Open entries: loading, reconciling, closing, rescuing; and what people list.

-- name: load_contacts :many
-- Loads contacts into every campaign that their list is attached to and that is not stopped (E2). contact_ids null means the
-- whole list. One row a campaign.
-- The campaigns are loaded, and so locked, in order of id.
select attached.campaign_id, loaded.loaded_count, loaded.duplicate_count
from (
  select campaign.campaign_id, campaign_list.contact_list_id
  from campaign_list
  join campaign on campaign.campaign_id = campaign_list.campaign_id
  where campaign_list.contact_list_id = %(contact_list_id)s::bigint and campaign.state <> 'STOPPED'
  order by campaign.campaign_id
  offset 0
) attached
cross join lateral load_entries(attached.campaign_id, attached.contact_list_id, %(contact_ids)s::bigint[]) loaded;

-- name: load_list :many
-- Loads the contacts of one list into one campaign (E2).
select loaded_count, duplicate_count
from load_entries(%(campaign_id)s::bigint, %(contact_list_id)s::bigint, null);

-- name: lock_entries_of_contacts :exec
-- Locks all open entries of contacts, in lock order, before their contact is changed.
select entry.contact_id
from hopper_entry entry
where entry.campaign_id = any(array(select campaign_id from campaign))
  and entry.contact_id = any(%(contact_ids)s::bigint[])
order by entry.campaign_id, entry.contact_id
for no key update;

-- name: reconcile_entries :many
-- Settles the open entries of changed contacts (E5, R11): decides again from the end of the last call, moves what is now due
-- at another time, takes over the contact's priority and earliest call time. Live calls are left alone. One row an entry that
-- has no number left, for close_entries. The caller has the entries' locks.
with
decided as materialized (
  select
    entry.campaign_id, entry.contact_id, contact.priority, decision.due_at, decision.close_reason,
    earliest.ready_at
  from hopper_entry entry
  join contact on contact.contact_id = entry.contact_id
  join campaign on campaign.campaign_id = entry.campaign_id
  join campaign_settings settings
    on settings.campaign_id = campaign.campaign_id and settings.settings_version = campaign.settings_version
  cross join lateral (select greatest(entry.loaded_at, contact.earliest_call_at) as ready_at) earliest
  cross join lateral next_call(
    settings, entry.contact_id, earliest.ready_at, entry.cycle, entry.tallies, entry.last_e164, entry.last_status,
    entry.last_ended_at
  ) decision
  where entry.campaign_id = any(array(select campaign_id from campaign))
    and entry.contact_id = any(%(contact_ids)s::bigint[]) and entry.state = 'READY'
),
settled as (
  update hopper_entry entry
  set
    ready_at = decided.ready_at,
    scheduled_at = greatest(coalesce(decided.due_at, entry.scheduled_at), entry.deferred_until),
    priority = decided.priority
  from decided
  where entry.campaign_id = decided.campaign_id and entry.contact_id = decided.contact_id
  returning entry.contact_id
),
of_live as (
  update hopper_entry entry
  set priority = contact.priority, ready_at = greatest(entry.loaded_at, contact.earliest_call_at)
  from contact
  where contact.contact_id = entry.contact_id
    and entry.campaign_id = any(array(select campaign_id from campaign))
    and entry.contact_id = any(%(contact_ids)s::bigint[]) and entry.state <> 'READY'
  returning entry.contact_id
)
select campaign_id, contact_id, close_reason from decided where close_reason is not null;

-- name: close_entries :many
-- Closes ready entries for the given reasons, one element an entry. The caller has their locks.
select close_entries(%(campaign_ids)s::bigint[], %(contact_ids)s::bigint[], %(reasons)s::text[]) as closed_count;

-- name: close_contact_entries :many
-- Closes the open entries of contacts: ready ones now, live ones when they are reported (E4). The caller has their locks.
with
wanted as materialized (
  select entry.campaign_id, entry.contact_id, entry.state
  from hopper_entry entry
  where entry.campaign_id = any(array(select campaign_id from campaign))
    and entry.contact_id = any(%(contact_ids)s::bigint[])
),
live as (
  update hopper_entry entry
  set close_as = coalesce(entry.close_as, %(reason)s::text)
  from wanted
  where entry.campaign_id = wanted.campaign_id and entry.contact_id = wanted.contact_id and wanted.state <> 'READY'
  returning entry.contact_id
)
select
  (
    select close_entries(array_agg(campaign_id), array_agg(contact_id), array_agg(%(reason)s::text))
    from wanted where state = 'READY'
  ) as closed_count,
  (select count(*) from live) as live_count;

-- name: close_campaign_entries :many
-- Closes the open entries of a campaign, or of one list of it: ready ones now, live ones when they are reported (E4).
-- contact_list_id null means all. The caller has the campaign's exclusive lock, which no claim passes.
with
wanted as materialized (
  select entry.campaign_id, entry.contact_id, entry.state
  from hopper_entry entry
  join contact on contact.contact_id = entry.contact_id
  where entry.campaign_id = %(campaign_id)s::bigint
    and (%(contact_list_id)s::bigint is null or contact.contact_list_id = %(contact_list_id)s::bigint)
  order by entry.campaign_id, entry.contact_id
  for no key update of entry
),
live as (
  update hopper_entry entry
  set close_as = coalesce(entry.close_as, %(reason)s::text)
  from wanted
  where entry.campaign_id = wanted.campaign_id and entry.contact_id = wanted.contact_id and wanted.state <> 'READY'
  returning entry.contact_id
)
select
  coalesce((
    select close_entries(array_agg(campaign_id), array_agg(contact_id), array_agg(%(reason)s::text))
    from wanted where state = 'READY'
  ), 0) as closed_count,
  (select count(*) from live) as live_count;

-- name: find_entry :one
-- The state of one open entry.
select state from hopper_entry
where campaign_id = %(campaign_id)s::bigint and contact_id = %(contact_id)s::bigint and entry_id = %(entry_id)s::bigint;

-- name: close_entry_later :exec
-- Lets a live entry close when its call is reported (E4). The caller has its lock.
update hopper_entry
set close_as = coalesce(close_as, %(reason)s::text)
where campaign_id = %(campaign_id)s::bigint and contact_id = %(contact_id)s::bigint and state <> 'READY';

-- name: lock_ended_claims :many
-- Claimed attempts whose lease is over: they never rang (D3). Locks their entries, passing over what others hold.
select attempt.campaign_id, attempt.contact_id, attempt.attempt_id, attempt.lease_token
from attempt
join hopper_entry entry on entry.campaign_id = attempt.campaign_id and entry.contact_id = attempt.contact_id
where attempt.state = 'CLAIMED' and attempt.lease_expires_at <= clock()
limit %(max_attempts)s::integer
for no key update of entry skip locked;

-- name: hold_silent_attempts :many
-- Begun attempts whose lease is over become UNKNOWN (D3): person and number are held for the campaign's quarantine, or
-- max_talk if the call was answered, from the end of the lease. Passes over what others hold. One row an attempt.
with
moment as materialized (select clock() as at),
silent as materialized (
  select
    attempt.campaign_id, attempt.contact_id, attempt.attempt_id,
    attempt.lease_expires_at + case
      when attempt.answered_at is null then campaign.quarantine else campaign.max_talk
    end as held_until
  from attempt
  join campaign on campaign.campaign_id = attempt.campaign_id
  join hopper_entry entry on entry.campaign_id = attempt.campaign_id and entry.contact_id = attempt.contact_id
  where attempt.state = 'DIALING' and attempt.lease_expires_at <= (select at from moment)
  limit %(max_attempts)s::integer
  for no key update of entry skip locked
),
held as (
  update attempt
  set state = 'UNKNOWN', held_until = silent.held_until
  from silent
  where attempt.campaign_id = silent.campaign_id and attempt.contact_id = silent.contact_id
    and attempt.attempt_id = silent.attempt_id and attempt.state = 'DIALING'
    and attempt.lease_expires_at <= (select at from moment)
  returning attempt.campaign_id, attempt.contact_id
)
update hopper_entry entry
set state = 'HELD'
from held
where entry.campaign_id = held.campaign_id and entry.contact_id = held.contact_id
returning entry.campaign_id, entry.contact_id;

-- name: lock_ended_holds :many
-- UNKNOWN attempts whose hold is over, with what they end as: UNKNOWN, or ANSWERED if a renewal said so (D3). Locks their
-- entries, passing over what others hold.
select
  attempt.campaign_id, attempt.contact_id, attempt.attempt_id, attempt.lease_token, attempt.held_until,
  case when attempt.answered_at is null then 'UNKNOWN' else 'ANSWERED' end as status,
  case when attempt.answered_at is null then interval '0' else attempt.lease_expires_at - attempt.answered_at end as talk
from attempt
join hopper_entry entry on entry.campaign_id = attempt.campaign_id and entry.contact_id = attempt.contact_id
where attempt.state = 'UNKNOWN' and attempt.held_until <= clock()
limit %(max_attempts)s::integer
for no key update of entry skip locked;

-- name: lock_expired_entries :many
-- Ready entries of campaigns whose end date has passed, for close_entries. Passes over what others hold.
select entry.campaign_id, entry.contact_id, 'EXPIRED' as close_reason
from campaign
join hopper_entry entry on entry.campaign_id = campaign.campaign_id and entry.state = 'READY'
where campaign.end_at <= clock() and campaign.state <> 'STOPPED'
limit %(max_entries)s::integer
for no key update of entry skip locked;

-- name: forget_old_requests :one
-- Forgets what was kept for repeated requests and late answers: Create answers and claims after 24 hours, released attempts and
-- stopped workers after 7 days.
with
creates as (delete from request_log where created_at < clock() - interval '24 hours' returning 1),
claims as (delete from claim_request where claimed_at < clock() - interval '24 hours' returning 1),
releases as (delete from released_attempt where released_at < clock() - interval '168 hours' returning 1),
workers as (delete from stopped_worker where stopped_at < clock() - interval '168 hours' returning 1)
select
  (select count(*) from creates) + (select count(*) from claims) + (select count(*) from releases)
  + (select count(*) from workers) as forgotten;

-- name: add_history_partitions :many
-- Adds the partitions of history that are missing for the coming months.
select add_history_partitions(%(months_ahead)s::integer) as added;

-- name: list_hopper_entries :many
-- Open entries of a campaign by contact, after a contact, with their next call. Index: primary key.
select
  entry.campaign_id, entry.contact_id, entry.entry_id, entry.state, entry.scheduled_at,
  entry.scheduled_at - clock() as due_in, entry.priority, entry.cycle, entry.attempts, entry.last_e164,
  entry.last_status, entry.last_ended_at, next_calls.e164 as next_e164, next_calls.rule as next_rule
from hopper_entry entry
left join next_calls on next_calls.campaign_id = entry.campaign_id and next_calls.contact_id = entry.contact_id
where entry.campaign_id = %(campaign_id)s::bigint and entry.contact_id > %(after_contact_id)s::bigint
  and (%(contact_id)s::bigint is null or entry.contact_id = %(contact_id)s::bigint)
  and (%(states)s::text[] is null or entry.state = any(%(states)s::text[]))
order by entry.contact_id
limit %(page_size)s::integer;

-- name: list_additional_phones :many
-- The view hopper_additional_phones of a campaign, by contact and dial position, after a contact and position.
select *
from hopper_additional_phones
where campaign_id = %(campaign_id)s::bigint and contact_id >= %(after_contact_id)s::bigint
  and (contact_id, dial_position) > (%(after_contact_id)s::bigint, %(after_position)s::integer)
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s::bigint)
order by contact_id, dial_position
limit %(page_size)s::integer;

-- name: list_history :many
-- Ended calls of a campaign in the order in which they were written, after a transaction and attempt. As a feed, only calls that
-- no running transaction can still precede. Index: history_of_campaign.
select
  attempt_id, claimed_at, campaign_id, contact_id, entry_id, e164, item_type, status, cycle, dial_position,
  attempt_number, rule, settings_version, worker_id, scheduled_at, begun_at, answered_at, ended_at, ring, talk,
  telephony_cause, channel_id, is_corrected, recorded_in::text as recorded_in
from history
where campaign_id = %(campaign_id)s::bigint
  and (recorded_in, attempt_id) > (%(after_recorded_in)s::text::xid8, %(after_attempt_id)s::uuid)
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s::bigint)
  and (not %(is_feed)s::boolean or recorded_in < pg_snapshot_xmin(pg_current_snapshot()))
-- Qualified: the bare name is the text above, in which 1000 comes before 999.
order by history.recorded_in, history.attempt_id
limit %(page_size)s::integer;

-- name: list_final :many
-- Closed entries of a campaign by contact and entry, after a contact and entry. Index: final_of_campaign.
select
  entry_id, campaign_id, contact_id, reason, last_e164, last_item_type, last_status, attempts, cycles, tallies,
  loaded_at, first_begun_at, last_ended_at, closed_at
from final
where campaign_id = %(campaign_id)s::bigint
  and (contact_id, entry_id) > (%(after_contact_id)s::bigint, %(after_entry_id)s::bigint)
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s::bigint)
  and (%(reasons)s::text[] is null or reason = any(%(reasons)s::text[]))
order by contact_id, entry_id
limit %(page_size)s::integer;
