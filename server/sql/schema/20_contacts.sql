-- Contacts, their lists, their numbers and the types of those numbers (C1-C8).

create table contact_item_type (
  contact_item_type_id bigint generated always as identity primary key,
  name text not null check (char_length(name) between 1 and 64),
  -- NFKC and casefolded: what must be unique (C3).
  name_key text not null constraint contact_item_type_name_is_taken unique,
  -- NFKD, marks removed, casefolded: what is compared with collate "C" (O1).
  sort_name text not null,
  order_by integer not null check (order_by >= 1),
  colour text check (colour ~ '^#[0-9A-F]{6}$'),
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table contact_list (
  contact_list_id bigint generated always as identity primary key,
  name text not null check (char_length(name) between 1 and 128),
  name_key text not null,
  default_region text not null check (default_region ~ '^[A-Z]{2}$'),
  extensions_allowed boolean not null,
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- A deleted list stays for its deleted contacts, and is shown nowhere.
  deleted_at timestamptz
);

-- A name belongs to one living list: insert_contact_list, update_contact_list, list_contact_lists by name.
create unique index contact_list_name_is_taken on contact_list (name_key) where deleted_at is null;

create table contact (
  contact_id bigint generated always as identity primary key,
  contact_list_id bigint not null references contact_list,
  first_name text not null default '',
  last_name text not null default '',
  -- NFKC and casefolded: what list_contacts finds by the beginning of a name (C6).
  first_name_key text collate "C" not null default '',
  last_name_key text collate "C" not null default '',
  email text not null default '',
  company text not null default '',
  postal_address text not null default '',
  description text not null default '',
  priority integer not null default 2 check (priority >= 1),
  earliest_call_at timestamptz,
  time_zone text,
  person_key text check (person_key <> ''),
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- A deleted contact stays for history and for its live call, and is shown nowhere.
  deleted_at timestamptz
);

-- Contacts of a list by id: load_entries, list_contacts.
create index contact_of_list on contact (contact_list_id, contact_id) where deleted_at is null;

-- Contacts by the beginning of a name (C6): list_contacts.
create index contact_by_first_name on contact (first_name_key) where deleted_at is null and first_name_key <> '';
create index contact_by_last_name on contact (last_name_key) where deleted_at is null and last_name_key <> '';

-- All numbers of a contact. entry_position 0 is the primary; the others are in order of entry (C2).
create table contact_phone (
  contact_id bigint not null references contact on delete cascade,
  entry_position smallint not null check (entry_position between 0 and 32),
  e164 dial_number not null,
  entered text not null,
  contact_item_type_id bigint references contact_item_type,
  primary key (contact_id, entry_position),
  constraint contact_has_a_number_once unique (contact_id, e164),
  constraint primary_phone_has_no_item_type check (entry_position > 0 or contact_item_type_id is null)
);

-- Reverse lookup by any number (C6), and the duplicate check of load_entries (E2).
create index contact_phone_by_number on contact_phone (e164);

-- Phones of one type: deleting a type, and which entries a changed type concerns.
create index contact_phone_by_type on contact_phone (contact_item_type_id) where contact_item_type_id is not null;
