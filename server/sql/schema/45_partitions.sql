-- Partitions of history, one a month (UTC): old months can be detached and archived without touching the others.

-- Adds the partitions of this month and the months after it that are missing, and answers how many. A month of which calls are
-- in the default partition already stays there. Several servers may call it at once. Runs with its owner's rights, so that the server's role needs none to create.
create function add_history_partitions(months_ahead integer) returns integer
language plpgsql volatile security definer
set search_path from current
set timezone = 'UTC'
as $$
declare
  month timestamptz;
  added integer := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('callhopper partitions of history', 0));
  for month in
    select first_day
    from generate_series(
      date_trunc('month', clock()), date_trunc('month', clock()) + make_interval(months => months_ahead), interval '1 month'
    ) as first_day
  loop
    continue when to_regclass('history_' || to_char(month, 'YYYY_MM')) is not null;
    continue when exists (
      select 1 from history_default where claimed_at >= month and claimed_at < month + interval '1 month'
    );
    -- Made first and attached then: reports may go on meanwhile.
    execute format('create table %I (like history including all)', 'history_' || to_char(month, 'YYYY_MM'));
    execute format(
      'alter table history attach partition %I for values from (%L) to (%L)',
      'history_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month'
    );
    added := added + 1;
  end loop;
  return added;
end;
$$;
