-- Contacts and their numbers (C1, C2, C5, C6). Lock order: item types, list, contact, then its open entries.

-- name: share_contact_item_types :many
-- Which of these item types exist. Keeps them from being deleted while a phone of them is added: locks for key share, by id.
select contact_item_type_id
from contact_item_type
where contact_item_type_id = any(%(contact_item_type_ids)s::bigint[])
order by contact_item_type_id
for key share;

-- name: insert_contact :many
-- Adds a contact to a list that the caller shares; one row.
insert into contact (
  contact_list_id, first_name, last_name, first_name_key, last_name_key, email, company, postal_address, description,
  priority, earliest_call_at, time_zone, person_key, created_at, updated_at
)
select
  %(contact_list_id)s::bigint, %(first_name)s::text, %(last_name)s::text, %(first_name_key)s::text,
  %(last_name_key)s::text, %(email)s::text, %(company)s::text, %(postal_address)s::text, %(description)s::text,
  %(priority)s::integer, %(earliest_call_at)s::timestamptz, %(time_zone)s::text, %(person_key)s::text, moment.at,
  moment.at
from (select clock() as at) moment
returning contact_id;

-- name: insert_phones :exec
-- Adds all numbers of a contact in order of entry, the primary first; one array element a number.
insert into contact_phone (contact_id, entry_position, e164, entered, contact_item_type_id)
select %(contact_id)s::bigint, number.place - 1, number.e164, number.entered, number.contact_item_type_id
from unnest(%(e164s)s::text[], %(entereds)s::text[], %(contact_item_type_ids)s::bigint[])
  with ordinality number (e164, entered, contact_item_type_id, place);

-- name: delete_phones :exec
-- Removes all numbers of a contact; insert_phones follows. Tallies are kept by number in the entries (E5).
delete from contact_phone
where contact_id = %(contact_id)s::bigint;

-- name: get_phones :many
-- All numbers of a contact in order of entry, the primary first.
select e164, entered, contact_item_type_id
from contact_phone
where contact_id = %(contact_id)s::bigint
order by entry_position;

-- name: get_contact :one
-- One contact with its numbers in dial order.
select *
from contacts
where contact_id = %(contact_id)s::bigint;

-- name: list_contacts :many
-- Contacts by id with their numbers in dial order, after an id. Index: primary key. Listing all, listing one list and finding
-- by name are three blocks, so that each has its index in a plan made for any parameters.
select *
from contacts
where contact_id > %(after_contact_id)s::bigint
order by contact_id
limit %(row_limit)s::integer;

-- name: list_contacts_of_list :many
-- The contacts of one list, as list_contacts. Index: contact_of_list.
select *
from contacts
where contact_id > %(after_contact_id)s::bigint
  and contact_list_id = %(contact_list_id)s::bigint
order by contact_id
limit %(row_limit)s::integer;

-- name: find_contacts :many
-- The contacts whose first or last name has a key in a range, as list_contacts; contact_list_id null means of all lists.
-- Index: contact_by_first_name and contact_by_last_name.
with named as materialized (
  select contact_id
  from contact
  where deleted_at is null
    and first_name_key <> ''
    and first_name_key between %(first_key)s::text and %(last_key)s::text
  union
  select contact_id
  from contact
  where deleted_at is null
    and last_name_key <> ''
    and last_name_key between %(first_key)s::text and %(last_key)s::text
)
select contacts.*
from named
join contacts on contacts.contact_id = named.contact_id
where named.contact_id > %(after_contact_id)s::bigint
  and (%(contact_list_id)s::bigint is null or contacts.contact_list_id = %(contact_list_id)s::bigint)
order by named.contact_id
limit %(row_limit)s::integer;

-- name: lookup_contacts :many
-- Contacts that have a number, by id with their numbers in dial order, after an id (C6). Index: contact_phone_by_number.
select *
from contacts
where contact_id in (select phone.contact_id from contact_phone phone where phone.e164 = %(e164)s::text)
  and contact_id > %(after_contact_id)s::bigint
order by contact_id
limit %(row_limit)s::integer;

-- name: lock_contact :one
-- Locks one contact for a change, and shares its list, so that no campaign loads the contact meanwhile.
select
  contact.contact_id, contact.contact_list_id, contact.first_name, contact.last_name, contact.email, contact.company,
  contact.postal_address, contact.description, contact.priority, contact.earliest_call_at, contact.time_zone,
  contact.person_key, contact.revision, contact_list.default_region, contact_list.extensions_allowed
from contact
join contact_list on contact_list.contact_list_id = contact.contact_list_id
where contact.contact_id = %(contact_id)s::bigint and contact.deleted_at is null
for key share of contact_list
for no key update of contact;

-- name: update_contact :exec
-- Changes a contact that the caller has locked.
update contact
set
  first_name = %(first_name)s::text,
  last_name = %(last_name)s::text,
  first_name_key = %(first_name_key)s::text,
  last_name_key = %(last_name_key)s::text,
  email = %(email)s::text,
  company = %(company)s::text,
  postal_address = %(postal_address)s::text,
  description = %(description)s::text,
  priority = %(priority)s::integer,
  earliest_call_at = %(earliest_call_at)s::timestamptz,
  time_zone = %(time_zone)s::text,
  person_key = %(person_key)s::text,
  revision = revision + 1,
  updated_at = clock()
where contact_id = %(contact_id)s::bigint;

-- name: delete_contact :exec
-- Deletes a contact that the caller has locked. The row stays for history and for its live call.
update contact
set deleted_at = clock(), updated_at = clock(), revision = revision + 1
where contact_id = %(contact_id)s::bigint;
