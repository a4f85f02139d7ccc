-- Where rows of CSV files wait until their import has read the whole file (I1). Nothing here outlives an import.

-- Imports under way, by a random number that the server draws: it can then end one even when it does not know whether
-- beginning it was committed. One whose server died is forgotten once it expires.
create table contact_import (
  contact_import_id bigint primary key,
  contact_list_id bigint not null,
  expires_at timestamptz not null
);

-- Rows that were read: one contact each, with its numbers in order of entry, the primary first. `entered` has null where it
-- equals the number. Ids are taken here, so that contacts are in the order of the file.
-- Unlogged: a crash of PostgreSQL empties it, and the import, which counts its rows at the end, fails.
create unlogged table contact_import_row (
  contact_import_id bigint not null,
  line bigint not null,
  contact_id bigint not null default nextval('contact_contact_id_seq'),
  first_name text not null,
  last_name text not null,
  first_name_key text collate "C" not null,
  last_name_key text collate "C" not null,
  email text not null,
  company text not null,
  postal_address text not null,
  description text not null,
  priority integer not null,
  earliest_call_at timestamptz,
  time_zone text,
  person_key text,
  e164s text[] not null,
  entered text[] not null,
  contact_item_type_ids bigint[] not null,
  primary key (contact_import_id, line)
);
