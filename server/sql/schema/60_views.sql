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
