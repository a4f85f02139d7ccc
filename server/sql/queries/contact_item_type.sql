-- Contact item types (C3, C8). Whoever changes one holds its row for update: adding a phone of the type takes it for key share,
-- so none is added meanwhile.

-- name: insert_contact_item_type :many
-- Adds an item type; one row.
insert into contact_item_type (name, name_key, sort_name, order_by, colour, created_at, updated_at)
select
  %(display_name)s::text, %(name_key)s::text, %(sort_name)s::text, %(order_by)s::integer, %(colour)s::text, moment.at, moment.at
from (select clock() as at) moment
returning contact_item_type_id, name, order_by, colour, revision, created_at, updated_at;

-- name: get_contact_item_type :one
-- One item type.
select contact_item_type_id, name, order_by, colour, revision, created_at, updated_at
from contact_item_type
where contact_item_type_id = %(contact_item_type_id)s::bigint;

-- name: list_contact_item_types :many
-- Item types in dial order (O1), after one. Sorts them all: they are few.
select contact_item_type_id, name, sort_name, order_by, colour, revision, created_at, updated_at
from contact_item_type
where (order_by, sort_name collate "C", name collate "C", contact_item_type_id)
  > (%(after_order_by)s::integer, %(after_sort_name)s::text, %(after_name)s::text, %(after_id)s::bigint)
order by order_by, sort_name collate "C", name collate "C", contact_item_type_id
limit %(row_limit)s::integer;

-- name: lock_contact_item_type :one
-- Locks one item type for a change.
select name as display_name, order_by, colour, revision
from contact_item_type
where contact_item_type_id = %(contact_item_type_id)s::bigint
for update;

-- name: update_contact_item_type :many
-- Changes an item type that the caller has locked; one row. Dial order follows at once: no number's place is stored (O3), and
-- no due time depends on the order (R11).
update contact_item_type
set
  name = %(display_name)s::text,
  name_key = %(name_key)s::text,
  sort_name = %(sort_name)s::text,
  order_by = %(order_by)s::integer,
  colour = %(colour)s::text,
  revision = revision + 1,
  updated_at = clock()
where contact_item_type_id = %(contact_item_type_id)s::bigint
returning contact_item_type_id, name, order_by, colour, revision, created_at, updated_at;

-- name: get_type_use :many
-- Whether a phone of a living contact has an item type, and how many open entries have a phone of it; one row. Index:
-- contact_phone_by_type.
select
  exists (
    select
    from contact_phone phone
    join contact on contact.contact_id = phone.contact_id
    where phone.contact_item_type_id = %(contact_item_type_id)s::bigint and contact.deleted_at is null
  ) as is_used,
  (
    select count(*)
    from (
      select distinct phone.contact_id
      from contact_phone phone
      where phone.contact_item_type_id = %(contact_item_type_id)s::bigint
    ) of_type
    join hopper_entry entry on entry.contact_id = of_type.contact_id
    where entry.campaign_id = any(array(select campaign_id from campaign))
  ) as open_entry_count;

-- name: get_next_calls_of_type :many
-- The next number of every ready entry that has a phone of an item type, as two array literals for
-- count_changed_next_calls; one row. A literal is read by no one on the way: a million entries are some 25 MB.
select
  coalesce(array_agg(next.entry_id), '{}')::text as entry_ids,
  coalesce(array_agg(next.e164), '{}')::text as numbers
from (
  select distinct phone.contact_id
  from contact_phone phone
  where phone.contact_item_type_id = %(contact_item_type_id)s::bigint
) of_type
join next_calls next on next.contact_id = of_type.contact_id
where next.campaign_id = any(array(select campaign_id from campaign));

-- name: count_changed_next_calls :many
-- How many ready entries now have another next number than get_next_calls_of_type found before; one row.
select count(*) as changed_count
from next_calls next
join unnest(%(entry_ids)s::text::bigint[], %(numbers)s::text::text[]) before (entry_id, e164)
  on before.entry_id = next.entry_id
where next.contact_id in (
    select phone.contact_id from contact_phone phone where phone.contact_item_type_id = %(contact_item_type_id)s::bigint
  )
  and next.campaign_id = any(array(select campaign_id from campaign))
  and next.e164 is distinct from before.e164;

-- name: untype_phones :many
-- Makes the phones of an item type untyped (C8), which changes their contacts; one row, which counts those of living contacts.
-- Locks the contacts by id. The caller has locked the type, so that no phone of it can be added.
with
concerned as materialized (
  select contact.contact_id
  from contact
  where contact.contact_id in (
    select phone.contact_id
    from contact_phone phone
    where phone.contact_item_type_id = %(contact_item_type_id)s::bigint
  )
  order by contact.contact_id
  for no key update
),
changed as (
  update contact
  set revision = contact.revision + 1, updated_at = clock()
  from concerned
  where contact.contact_id = concerned.contact_id
  returning contact.contact_id, contact.deleted_at
),
untyped as (
  update contact_phone phone
  set contact_item_type_id = null
  from changed
  where phone.contact_id = changed.contact_id
    and phone.contact_item_type_id = %(contact_item_type_id)s::bigint
  returning changed.deleted_at
)
select count(*) filter (where deleted_at is null) as untyped_phone_count
from untyped;

-- name: delete_contact_item_type :exec
-- Deletes an item type that no phone has.
delete from contact_item_type
where contact_item_type_id = %(contact_item_type_id)s::bigint;
