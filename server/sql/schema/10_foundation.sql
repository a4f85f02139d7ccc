-- callhopper: the database is the product. Services ask, SQL decides and remembers, workers dial.
--
-- Read these files in order: foundation, contacts, campaigns, hopper, rule, views. Base tables are private, the views are
-- the public face. States are text with CHECKs, so that a value can be dropped again. Rule numbers (R4, D3 ...) are those
-- of docs/rules.md.
--
-- Lock order, for every transaction (tests/sql/test_lock_order.py proves it):
--   1. the campaign's advisory lock: exclusive to pause, stop or delete a campaign; shared to begin. A claim, which
--      already holds entries, only tries it and never waits.
--   2. contact_item_type, contact_list, contact
--   3. campaign, by campaign_id
--   4. hopper_entry, by (campaign_id, contact_id); a claim skips locked ones and never waits
--   5. attempt, by (campaign_id, contact_id)
-- Inserting an attempt may wait for another claim's uncommitted attempt of the same person or number. Two claims can so
-- wait for each other; PostgreSQL ends one of them (40P01), and the server runs it again.

-- The one source of time: the session's `callhopper.now` when it is set, else the wall clock.
create function clock() returns timestamptz
language sql volatile parallel restricted
return coalesce(nullif(current_setting('callhopper.now', true), '')::timestamptz, clock_timestamp());

-- E.164, or the digits of an internal extension. The pattern keeps a dial string from carrying a second destination.
create domain dial_number as text check (value ~ '^\+?[0-9]{2,15}$');

-- A length of time in whole seconds (R1), 0 to 366 days, without days or months, whose length would vary.
create domain seconds_interval as interval check (
  value >= interval '0' and value <= interval '8784:00:00'
  and date_trunc('second', value) = value
  and extract(day from value) = 0 and extract(month from value) = 0 and extract(year from value) = 0
);

-- Most attempts, the first one included; 0 and 1 both mean: never again after one failure (R1).
create domain attempt_limit as integer check (value between 0 and 1000);

-- Answers of Create calls, so that the same request_id answers the same (kept 24 hours).
create table request_log (
  request_id uuid primary key,
  rpc text not null,
  request_digest bytea not null,
  response bytea not null,
  created_at timestamptz not null
);

-- The loop that forgets old answers scans by age.
create index request_log_age on request_log (created_at);
