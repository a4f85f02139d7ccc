-- Import of contacts from CSV (I1, I2): rows are staged in short transactions, then moved in one.

-- name: get_import_list :one
-- How a list reads numbers. Locks nothing: move_import asks again.
select default_region, extensions_allowed
from contact_list
where contact_list_id = %(contact_list_id)s::bigint and deleted_at is null;

-- name: find_import_types :many
-- Item types by their keys. Index: contact_item_type_name_is_taken.
select name_key, contact_item_type_id
from contact_item_type
where name_key = any(%(name_keys)s::text[]);

-- name: begin_import :exec
-- Begins an import that is forgotten after some seconds.
insert into contact_import (contact_import_id, contact_list_id, expires_at)
values (
  %(contact_import_id)s::bigint, %(contact_list_id)s::bigint,
  clock() + make_interval(secs => %(seconds)s::double precision)
);

-- name: forget_import :exec
-- Ends an import and empties its staging. Index: primary key.
with ended as (
  delete from contact_import
  where contact_import_id = %(contact_import_id)s::bigint
)
delete from contact_import_row
where contact_import_id = %(contact_import_id)s::bigint;

-- name: forget_expired_imports :exec
-- Forgets imports whose server has died, passing over what others are forgetting.
with
expired as materialized (
  select contact_import_id
  from contact_import
  where expires_at < clock()
  for update skip locked
),
ended as (
  delete from contact_import
  using expired
  where contact_import.contact_import_id = expired.contact_import_id
)
delete from contact_import_row staged
using expired
where staged.contact_import_id = expired.contact_import_id;

-- name: set_statement_timeout :exec
-- Gives the statements of this transaction another time limit.
select set_config('statement_timeout', %(milliseconds)s::bigint::text, true);

-- name: avoid_nested_loops :exec
-- Keeps the statements of this transaction from nested loops. Nobody has analyzed the rows that a transaction has just added:
-- load_contacts took its 15,000 imported contacts for one, and 145 s instead of 0.3 s.
select set_config('enable_nestloop', 'off', true);

-- name: lock_import :one
-- Locks an import, so that it is not forgotten while it is moved.
select contact_import_id
from contact_import
where contact_import_id = %(contact_import_id)s::bigint
for update;

-- name: insert_imported_contacts :exec
-- Adds the staged contacts in the order of the file. The caller shares the list. Index: primary key.
insert into contact (
  contact_id, contact_list_id, first_name, last_name, first_name_key, last_name_key, email, company, postal_address,
  description, priority, earliest_call_at, time_zone, person_key, created_at, updated_at
)
overriding system value
select
  staged.contact_id, %(contact_list_id)s::bigint, staged.first_name, staged.last_name, staged.first_name_key,
  staged.last_name_key, staged.email, staged.company, staged.postal_address, staged.description, staged.priority,
  staged.earliest_call_at, staged.time_zone, staged.person_key, moment.at, moment.at
from contact_import_row staged
cross join (select clock() as at offset 0) moment
where staged.contact_import_id = %(contact_import_id)s::bigint
order by staged.line;

-- name: insert_imported_phones :exec
-- Adds the numbers of the staged contacts. The caller shares their item types. Index: primary key.
insert into contact_phone (contact_id, entry_position, e164, entered, contact_item_type_id)
select
  staged.contact_id, number.place - 1, number.e164, coalesce(number.entered, number.e164), number.contact_item_type_id
from contact_import_row staged
cross join lateral unnest(staged.e164s, staged.entered, staged.contact_item_type_ids)
  with ordinality number (e164, entered, contact_item_type_id, place)
where staged.contact_import_id = %(contact_import_id)s::bigint
order by staged.line;

-- name: get_imported_contact_ids :many
-- The ids of the staged contacts as an array literal for load_contacts, which no one reads on the way; one row.
select coalesce(array_agg(contact_id), '{}')::text as contact_ids
from contact_import_row
where contact_import_id = %(contact_import_id)s::bigint;
