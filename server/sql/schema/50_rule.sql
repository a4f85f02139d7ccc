-- The rule: which number is dialed next, and when (O1-O3, R2-R5, R7, R11). Written once. The views, the claim, the report,
-- the rescue and the plan all read what is here, so what people see is what is dialed. All functions are plain SQL that
-- PostgreSQL inlines into the statement that calls them.

-- Every number of a contact in dial order (O1): the primary is 0, additional phones are 1..n. One row a number.
-- Filter it by contact_id: the order is then computed for that contact only.
create view dial_order as
select
  phone.contact_id,
  phone.entry_position,
  phone.e164,
  phone.entered,
  phone.contact_item_type_id,
  item_type.name as item_type,
  item_type.order_by,
  item_type.colour,
  (row_number() over (
    partition by phone.contact_id
    order by
      phone.entry_position <> 0,
      item_type.contact_item_type_id is null,
      item_type.order_by,
      item_type.sort_name collate "C",
      item_type.name collate "C",
      phone.entry_position
  ) - 1)::integer as dial_position
from contact_phone phone
left join contact_item_type item_type on item_type.contact_item_type_id = phone.contact_item_type_id;

-- Whether a number has used up its limits (R2). tally is one number's part of hopper_entry.tallies; null when it was never
-- called. NO_ANSWER 3 of 3: exhausted; 2 of 3 and total 4 of 4: exhausted.
create function is_exhausted(tally jsonb, settings campaign_settings) returns boolean
language sql immutable parallel safe
return case when tally is null then false else
  coalesce((tally ->> 'total')::integer, 0) >= greatest(settings.global_max_attempts, 1)
  or coalesce((tally ->> 'NO_ANSWER')::integer, 0) >= greatest(settings.no_answer_max_attempts, 1)
  or coalesce((tally ->> 'BUSY')::integer, 0) >= greatest(settings.busy_max_attempts, 1)
  or coalesce((tally ->> 'CONGESTION')::integer, 0) >= greatest(settings.congestion_max_attempts, 1)
  or coalesce((tally ->> 'NO_SUCH_NUMBER')::integer, 0) >= greatest(settings.no_such_number_max_attempts, 1)
  or coalesce((tally ->> 'DROP')::integer, 0) >= greatest(settings.drop_max_attempts, 1)
  or coalesce((tally ->> 'ABANDONED')::integer, 0) >= greatest(settings.abandoned_max_attempts, 1)
  or coalesce((tally ->> 'MACHINE')::integer, 0) >= greatest(settings.machine_max_attempts, 1)
  or coalesce((tally ->> 'AGENT_REJECT')::integer, 0) >= greatest(settings.agent_reject_max_attempts, 1)
end;

-- How long after a call with this status the next cycle begins, or the same number is called again. UNKNOWN waits as
-- NO_ANSWER does (D3).
create function retry_interval(settings campaign_settings, status text) returns interval
language sql immutable parallel safe
return case status
  when 'NO_ANSWER' then settings.no_answer_retry_interval
  when 'BUSY' then settings.busy_retry_interval
  when 'CONGESTION' then settings.congestion_retry_interval
  when 'NO_SUCH_NUMBER' then settings.no_such_number_retry_interval
  when 'DROP' then settings.drop_retry_interval
  when 'ABANDONED' then settings.abandoned_retry_interval
  when 'MACHINE' then settings.machine_retry_interval
  when 'AGENT_REJECT' then settings.agent_reject_retry_interval
  when 'UNKNOWN' then settings.no_answer_retry_interval
end;

-- Where the next call goes after a call with this status (R7). After UNKNOWN always to the next number (D3).
create function on_failure(settings campaign_settings, status text) returns text
language sql immutable parallel safe
return case status
  when 'NO_ANSWER' then settings.no_answer_on_failure
  when 'BUSY' then settings.busy_on_failure
  when 'CONGESTION' then settings.congestion_on_failure
  when 'NO_SUCH_NUMBER' then settings.no_such_number_on_failure
  when 'DROP' then settings.drop_on_failure
  when 'ABANDONED' then settings.abandoned_on_failure
  when 'MACHINE' then settings.machine_on_failure
  when 'AGENT_REJECT' then settings.agent_reject_on_failure
  else 'NEXT_NUMBER'
end;

-- Adds an ended call to an entry's tallies (R2). An answered call is no failure: it is shown and not counted in the total.
create function count_call(tallies jsonb, e164 text, status text, cycle integer) returns jsonb
language sql immutable parallel safe
return tallies || jsonb_build_object(e164, coalesce(tallies -> e164, '{}'::jsonb) || jsonb_build_object(
  'total', coalesce((tallies -> e164 ->> 'total')::integer, 0) + (status <> 'ANSWERED')::integer,
  'cycle', cycle,
  status, coalesce((tallies -> e164 ->> status)::integer, 0) + 1
));

-- The numbers of a contact in dial order, with what an entry in this cycle and with these tallies has done to them.
create function hopper_numbers(
  of_contact bigint, running_cycle integer, tallies jsonb, settings campaign_settings
) returns table (
  e164 text, contact_item_type_id bigint, item_type text, order_by integer, colour text, dial_position integer,
  tally jsonb, is_dialed boolean, is_exhausted boolean
)
language sql stable parallel safe
begin atomic
  select
    number.e164,
    number.contact_item_type_id,
    number.item_type,
    number.order_by,
    number.colour,
    number.dial_position,
    tallies -> number.e164,
    coalesce((tallies -> number.e164 ->> 'cycle')::integer = running_cycle, false),
    is_exhausted(tallies -> number.e164, settings)
  from dial_order number
  where number.contact_id = of_contact;
end;

-- The decision (R3-R5, R7, R11): the next call of an entry, or why it closes. One row always; a pure function of the
-- entry's facts, the contact's present numbers and the settings, so that deciding again gives the same answer unless one of
-- them changed.
--   never called           -> the first number, when the entry is ready                         FIRST_CALL
--   the status says so      -> the same number, the status's interval after the end (R7)         SAME_NUMBER
--   a number is pending     -> the first such, the additional phone delay after the end (R3)     NEXT_NUMBER
--   a number is left        -> the first such in a new cycle, the status's interval after (R4)   NEXT_CYCLE
--   none is left            -> closed (R5)
-- Never before ready_at, which follows the contact's earliest call time (C1).
create function next_call(
  settings campaign_settings, of_contact bigint, ready_at timestamptz, running_cycle integer, tallies jsonb,
  last_e164 text, last_status text, last_ended_at timestamptz
) returns table (
  e164 text, contact_item_type_id bigint, item_type text, dial_position integer, cycle integer, starts_cycle boolean,
  due_at timestamptz, rule text, close_reason text
)
language sql stable parallel safe
begin atomic
  select
    choice.e164,
    choice.contact_item_type_id,
    choice.item_type,
    choice.dial_position,
    running_cycle + (choice.rule = 'NEXT_CYCLE')::integer,
    choice.rule = 'NEXT_CYCLE',
    case choice.rule
      when 'FIRST_CALL' then ready_at
      when 'NEXT_NUMBER' then greatest(ready_at, last_ended_at + settings.additional_phone_delay)
      when 'SAME_NUMBER' then greatest(ready_at, last_ended_at + retry_interval(settings, last_status))
      when 'NEXT_CYCLE' then greatest(ready_at, last_ended_at + retry_interval(settings, last_status))
    end,
    choice.rule,
    case
      when choice.e164 is not null then null
      when last_status = 'ANSWERED' then 'REACHED'
      when exists (
        select 1 from hopper_numbers(of_contact, running_cycle, tallies, settings) number where number.is_exhausted
      ) then 'RETRY_LIMIT'
      else 'NO_DIALABLE_NUMBER'
    end
  from (values (true)) always
  left join lateral (
    select
      number.e164,
      number.contact_item_type_id,
      number.item_type,
      number.dial_position,
      case
        when last_ended_at is null then 'FIRST_CALL'
        when number.e164 = last_e164 and on_failure(settings, last_status) = 'SAME_NUMBER' then 'SAME_NUMBER'
        when not number.is_dialed then 'NEXT_NUMBER'
        else 'NEXT_CYCLE'
      end as rule
    from hopper_numbers(of_contact, running_cycle, tallies, settings) number
    where not number.is_exhausted and last_status is distinct from 'ANSWERED'
    order by
      case
        when last_ended_at is null then 0
        when number.e164 = last_e164 and on_failure(settings, last_status) = 'SAME_NUMBER' then 0
        when not number.is_dialed then 1
        else 2
      end,
      number.dial_position
    limit 1
  ) choice on true;
end;

-- A UUIDv7 of a moment (RFC 9562, section 5.7), made here because PostgreSQL before 18 has none.
create function uuid_at(moment timestamptz) returns uuid
language sql volatile parallel safe
begin atomic
  select (substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid
  from (select lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0') as hex) timestamp_hex;
end;
