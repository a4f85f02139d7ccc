-- What would be dialed (the RPC PlanCalls): the same decision, run forward over assumed outcomes.

-- Plans the calls of a stored contact, from the facts of an entry, by calling next_call until it closes or max_calls is
-- reached. outcomes maps a number to its sequence of statuses, and '' to the sequence of all other numbers; the last status
-- of a sequence repeats. Calls take no time. Changes nothing.
-- live is the entry's live call, if it is on one: it comes first, as if it ended at once.
-- One row a call; then one with close_reason, unless max_calls came first.
create function plan_calls(
  settings campaign_settings, of_contact bigint, ready_at timestamptz, cycle integer, attempts integer, tallies jsonb,
  last_e164 text, last_item_type text, last_status text, last_ended_at timestamptz,
  live attempt, starts_at timestamptz, outcomes jsonb, max_calls integer
) returns table (
  call_at timestamptz, e164 text, item_type text, call_cycle integer, dial_position integer, attempt_number integer,
  status text, rule text, close_reason text
)
language plpgsql stable
as $$
declare
  decision record;
  earliest timestamptz := greatest(starts_at, last_ended_at);
  used jsonb := '{}';
  sequence_of text;
  use integer;
begin
  for planned in 1..max_calls + 1 loop
    if planned = 1 and live.attempt_id is not null then
      select
        live.e164::text as e164, live.item_type as item_type, live.cycle as cycle, live.dial_position as dial_position,
        live.claimed_at as due_at, live.rule as rule, null::text as close_reason
      into strict decision;
    else
      select * into strict decision
      from next_call(settings, of_contact, ready_at, cycle, tallies, last_e164, last_status, last_ended_at);
    end if;
    if decision.close_reason is not null then
      call_at := last_ended_at;
      e164 := last_e164;
      item_type := last_item_type;
      call_cycle := case when attempts = 0 then 0 else cycle end;
      dial_position := null;
      attempt_number := attempts;
      status := last_status;
      rule := null;
      close_reason := decision.close_reason;
      return next;
      return;
    end if;
    exit when planned > max_calls;

    sequence_of := case when outcomes ? decision.e164 then decision.e164 else '' end;
    use := coalesce((used ->> sequence_of)::integer, 0);
    used := used || jsonb_build_object(sequence_of, use + 1);
    attempts := attempts + 1;
    call_at := greatest(decision.due_at, earliest);
    e164 := decision.e164;
    item_type := decision.item_type;
    call_cycle := decision.cycle;
    dial_position := decision.dial_position;
    attempt_number := attempts;
    status := outcomes -> sequence_of ->> least(use, jsonb_array_length(outcomes -> sequence_of) - 1);
    rule := decision.rule;
    return next;

    cycle := decision.cycle;
    tallies := count_call(tallies, decision.e164, status, decision.cycle);
    last_e164 := decision.e164;
    last_item_type := decision.item_type;
    last_status := status;
    last_ended_at := call_at;
    earliest := call_at;
  end loop;
end;
$$;
