-- Contact lists. A deleted list keeps its row for its deleted contacts. Adding a contact takes the list's row for key share;
-- deleting the list, or attaching it to a campaign, takes it for update: none misses a contact that the other has just added.

-- name: insert_contact_list :many
-- Adds an empty list; one row.
insert into contact_list (name, name_key, default_region, extensions_allowed, created_at, updated_at)
select
  %(display_name)s::text, %(name_key)s::text, %(default_region)s::text, %(extensions_allowed)s::boolean, moment.at, moment.at
from (select clock() as at) moment
returning contact_list_id, name, default_region, extensions_allowed, revision, created_at, updated_at;

-- name: get_contact_list :one
-- One list with the number of its contacts. Index: contact_of_list.
select
  contact_list_id, name, default_region, extensions_allowed, revision, created_at, updated_at,
  (
    select count(*)
    from contact
    where contact.contact_list_id = contact_list.contact_list_id and contact.deleted_at is null
  ) as contact_count
from contact_list
where contact_list_id = %(contact_list_id)s::bigint and deleted_at is null;

-- name: list_contact_lists :many
-- Lists by id, after an id. Index: primary key, or contact_list_name_is_taken.
select contact_list_id, name, default_region, extensions_allowed, revision, created_at, updated_at
from contact_list
where contact_list_id > %(after_contact_list_id)s::bigint
  and deleted_at is null
  and (%(name_key)s::text is null or name_key = %(name_key)s::text)
order by contact_list_id
limit %(row_limit)s::integer;

-- name: lock_contact_list :one
-- Locks one list for a change.
select name as display_name, default_region, extensions_allowed, revision
from contact_list
where contact_list_id = %(contact_list_id)s::bigint and deleted_at is null
for update;

-- name: share_contact_list :one
-- Keeps one list from being deleted, and from being attached to a campaign, while a contact is added. Locks for key share.
select default_region, extensions_allowed
from contact_list
where contact_list_id = %(contact_list_id)s::bigint and deleted_at is null
for key share;

-- name: update_contact_list :many
-- Changes a list that the caller has locked; one row. Numbers already stored stay as they are.
update contact_list
set
  name = %(display_name)s::text,
  name_key = %(name_key)s::text,
  default_region = %(default_region)s::text,
  extensions_allowed = %(extensions_allowed)s::boolean,
  revision = revision + 1,
  updated_at = clock()
where contact_list_id = %(contact_list_id)s::bigint
returning contact_list_id, name, default_region, extensions_allowed, revision, created_at, updated_at;

-- name: list_has_contacts :many
-- Whether a list has contacts; one row. Index: contact_of_list.
select exists (
  select
  from contact
  where contact_list_id = %(contact_list_id)s::bigint and deleted_at is null
) as has_contacts;

-- name: delete_contacts_of_list :many
-- Deletes the contacts of a list, which stay for history; one row: how many, and their ids as an array literal for
-- close_contact_entries. Locks the contacts by id.
with
living as materialized (
  select contact_id
  from contact
  where contact_list_id = %(contact_list_id)s::bigint and deleted_at is null
  order by contact_id
  for no key update
),
deleted as (
  update contact
  set deleted_at = clock(), updated_at = clock(), revision = contact.revision + 1
  from living
  where contact.contact_id = living.contact_id
  returning contact.contact_id
)
select count(*) as deleted_contact_count, coalesce(array_agg(contact_id), '{}')::text as contact_ids
from deleted;

-- name: detach_contact_list :exec
-- Takes a list out of all campaigns.
delete from campaign_list
where contact_list_id = %(contact_list_id)s::bigint;

-- name: delete_contact_list :exec
-- Deletes a list that has no contacts. The row stays for its deleted contacts; the name is free.
update contact_list
set deleted_at = clock(), updated_at = clock(), revision = revision + 1
where contact_list_id = %(contact_list_id)s::bigint;
