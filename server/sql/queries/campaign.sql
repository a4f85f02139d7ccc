-- Campaigns: settings, life, lists, counts, plans.

-- name: insert_campaign :many
-- Adds a campaign and version 1 of its retry settings, which come as an object with the columns of campaign_settings.
with
created as (
  insert into campaign (
    name, name_key, priority, start_at, end_at, originate_timeout, caller_id, check_duplicate, duplicate_scope,
    quarantine, max_talk, created_at, updated_at
  )
  values (
    %(name)s::text, %(name_key)s::text, %(priority)s::integer, %(start_at)s::timestamptz, %(end_at)s::timestamptz,
    %(originate_timeout)s::interval, %(caller_id)s::text, %(check_duplicate)s::text, %(duplicate_scope)s::text,
    %(quarantine)s::interval, %(max_talk)s::interval, clock(), clock()
  )
  returning campaign_id, settings_version, created_at
),
first_settings as (
  insert into campaign_settings
  select settings.*
  from created
  cross join lateral jsonb_populate_record(
    null::campaign_settings, %(settings)s::jsonb || to_jsonb(created)
  ) settings
  returning campaign_id
)
select created.campaign_id from created, first_settings;

-- name: get_campaign :one
-- One campaign with its retry settings and lists.
select * from campaigns where campaign_id = %(campaign_id)s::bigint;

-- name: lock_campaign :one
-- Locks one campaign's row for a change.
select campaign_id, state, revision, settings_version from campaign
where campaign_id = %(campaign_id)s::bigint for no key update;

-- name: exclude_dialers :exec
-- Takes a campaign's exclusive lock: waits for the claims and begins under way, and lets no other pass until the commit.
select pg_advisory_xact_lock(campaign_lock(%(campaign_id)s::bigint));

-- name: list_campaigns :many
-- Campaigns by id, after an id.
select *
from campaigns
where campaign_id > %(after_campaign_id)s::bigint
  and (%(states)s::text[] is null or state = any(%(states)s::text[]))
  and (%(name_key)s::text is null or name_key = %(name_key)s::text)
order by campaign_id
limit %(page_size)s::integer;

-- name: find_campaigns :many
-- Which of these campaigns exist.
select campaign_id from campaign where campaign_id = any(%(campaign_ids)s::bigint[]);

-- name: update_campaign :exec
-- Changes a campaign's own fields; the caller has its row's lock.
update campaign
set
  name = %(name)s::text,
  name_key = %(name_key)s::text,
  priority = %(priority)s::integer,
  start_at = %(start_at)s::timestamptz,
  end_at = %(end_at)s::timestamptz,
  originate_timeout = %(originate_timeout)s::interval,
  caller_id = %(caller_id)s::text,
  check_duplicate = %(check_duplicate)s::text,
  duplicate_scope = %(duplicate_scope)s::text,
  quarantine = %(quarantine)s::interval,
  max_talk = %(max_talk)s::interval,
  revision = revision + 1,
  updated_at = clock()
where campaign_id = %(campaign_id)s::bigint;

-- name: insert_settings_version :exec
-- Adds the next version of a campaign's retry settings and points the campaign at it (R10); the caller has its row's lock.
with
next_version as (
  update campaign set settings_version = settings_version + 1
  where campaign_id = %(campaign_id)s::bigint
  returning campaign_id, settings_version, clock() as created_at
)
insert into campaign_settings
select settings.*
from next_version
cross join lateral jsonb_populate_record(
  null::campaign_settings, %(settings)s::jsonb || to_jsonb(next_version)
) settings;

-- name: set_campaign_state :exec
-- Starts, pauses or stops a campaign; the caller has its exclusive lock.
update campaign
set state = %(state)s::text, revision = revision + 1, updated_at = clock()
where campaign_id = %(campaign_id)s::bigint and state <> %(state)s::text;

-- name: count_campaign_work :many
-- What stands against deleting a campaign.
select
  (select count(*) from attempt where campaign_id = %(campaign_id)s::bigint) as live_count,
  exists (select 1 from history where campaign_id = %(campaign_id)s::bigint) as has_history;

-- name: delete_campaign :many
-- Deletes a campaign with its entries, finals and history; the caller has its exclusive lock.
with
entries as (delete from hopper_entry where campaign_id = %(campaign_id)s::bigint returning 1),
finals as (delete from final where campaign_id = %(campaign_id)s::bigint returning 1),
calls as (delete from history where campaign_id = %(campaign_id)s::bigint returning 1)
select
  (select count(*) from entries) as entry_count, (select count(*) from finals) as final_count,
  (select count(*) from calls) as call_count;

-- name: delete_campaign_row :exec
-- Deletes a campaign that has no entries, with its settings and its lists.
delete from campaign where campaign_id = %(campaign_id)s::bigint;

-- name: lock_list_for_loading :one
-- Locks a list against new contacts while it is attached: a contact added at the same moment waits, and is loaded after.
select contact_list_id from contact_list
where contact_list_id = %(contact_list_id)s::bigint and deleted_at is null for update;

-- name: insert_campaign_list :exec
-- Attaches a list; 0 rows when it was attached.
insert into campaign_list (campaign_id, contact_list_id, added_at)
values (%(campaign_id)s::bigint, %(contact_list_id)s::bigint, clock())
on conflict do nothing;

-- name: delete_campaign_list :exec
-- Detaches a list; 0 rows when it was not attached.
delete from campaign_list
where campaign_id = %(campaign_id)s::bigint and contact_list_id = %(contact_list_id)s::bigint;

-- name: get_campaign_stats :one
-- Counts of a campaign's entries and calls at one moment.
select
  conservation.loaded_entries, conservation.ready_entries, conservation.live_entries, conservation.held_entries,
  conservation.final_entries, conservation.history_calls,
  (
    select count(*) from hopper_entry entry
    where entry.campaign_id = conservation.campaign_id and entry.state = 'READY' and entry.scheduled_at <= clock()
  ) as due_entries,
  (
    select min(entry.scheduled_at) - clock() from hopper_entry entry
    where entry.campaign_id = conservation.campaign_id and entry.state = 'READY'
  ) as next_due_in,
  (
    select coalesce(jsonb_object_agg(reason, entries), '{}')
    from (select reason, count(*) as entries from final
          where final.campaign_id = conservation.campaign_id group by reason) by_reason
  ) as close_reasons,
  (
    select coalesce(jsonb_object_agg(status, calls), '{}')
    from (select status, count(*) as calls from history
          where history.campaign_id = conservation.campaign_id group by status) by_status
  ) as call_statuses
from conservation
where conservation.campaign_id = %(campaign_id)s::bigint;

-- name: insert_draft_contact :many
-- Stores a contact that exists only until the caller rolls back, for plan_calls. Item types of the draft have a key of their
-- own, so that they meet no other; a phone without one of them has one of the installation's, by name_key; '' is untyped.
with
draft_list as (
  insert into contact_list (name, name_key, default_region, extensions_allowed, created_at, updated_at)
  values ('draft', 'draft ' || gen_random_uuid(), 'US', true, clock(), clock())
  returning contact_list_id
),
draft_contact as (
  insert into contact (contact_list_id, created_at, updated_at)
  select contact_list_id, clock(), clock() from draft_list
  returning contact_id
),
draft_type as (
  insert into contact_item_type (name, name_key, sort_name, order_by, created_at, updated_at)
  select name, 'draft ' || gen_random_uuid() || ' ' || name_key, sort_name, order_by, clock(), clock()
  from unnest(
    %(type_names)s::text[], %(type_keys)s::text[], %(type_sort_names)s::text[], %(type_orders)s::integer[]
  ) as draft (name, name_key, sort_name, order_by)
  returning contact_item_type_id, substr(name_key, 44) as name_key
),
draft_phone as (
  insert into contact_phone (contact_id, entry_position, e164, entered, contact_item_type_id)
  select
    draft_contact.contact_id, phone.place - 1, phone.e164, phone.e164,
    coalesce(draft_type.contact_item_type_id, item_type.contact_item_type_id)
  from draft_contact
  cross join unnest(%(numbers)s::text[], %(number_type_keys)s::text[])
    with ordinality as phone (e164, type_key, place)
  left join draft_type on draft_type.name_key = phone.type_key
  left join contact_item_type item_type on item_type.name_key = phone.type_key
  returning contact_id
)
select contact_id from draft_contact where exists (select 1 from draft_phone);

-- name: find_contact :one
-- Whether a contact exists.
select contact_id from contact where contact_id = %(contact_id)s::bigint and deleted_at is null;

-- name: find_item_type_keys :many
-- Which of these item types the installation has.
select name_key from contact_item_type where name_key = any(%(name_keys)s::text[]);

-- name: plan_calls :many
-- The timeline of a contact by the SQL decision (see plan_calls in the schema), from the facts of its entry in the campaign if
-- it has one, else as fresh. settings null means the campaign's.
with
moment as materialized (select coalesce(%(starts_at)s::timestamptz, clock()) as at),
used_settings as materialized (
  select settings from jsonb_populate_record(null::campaign_settings, %(settings)s::jsonb) settings
  where %(settings)s::jsonb is not null
  union all
  select settings
  from campaign
  join campaign_settings settings
    on settings.campaign_id = campaign.campaign_id and settings.settings_version = campaign.settings_version
  where campaign.campaign_id = %(campaign_id)s::bigint and %(settings)s::jsonb is null
)
select planned.*
from used_settings
cross join moment
left join hopper_entry entry
  on entry.campaign_id = %(campaign_id)s::bigint and entry.contact_id = %(contact_id)s::bigint
left join contact on contact.contact_id = %(contact_id)s::bigint
left join attempt live on live.campaign_id = entry.campaign_id and live.contact_id = entry.contact_id
cross join lateral plan_calls(
  used_settings.settings, %(contact_id)s::bigint, coalesce(entry.ready_at, contact.earliest_call_at, moment.at),
  coalesce(entry.cycle, 1), coalesce(entry.attempts, 0), coalesce(entry.tallies, '{}'), entry.last_e164,
  entry.last_item_type, entry.last_status, entry.last_ended_at, live, moment.at, %(outcomes)s::jsonb,
  %(max_calls)s::integer
) planned;
