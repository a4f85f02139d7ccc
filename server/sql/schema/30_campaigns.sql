-- Campaigns, the versions of their retry settings, and their lists (E1, R1, R10).

create table campaign (
  campaign_id bigint generated always as identity primary key,
  name text not null check (char_length(name) between 1 and 128),
  name_key text not null constraint campaign_name_is_taken unique,
  state text not null default 'DRAFT' check (state in ('DRAFT', 'RUNNING', 'PAUSED', 'STOPPED')),
  priority integer not null check (priority >= 1),
  start_at timestamptz,
  end_at timestamptz,
  originate_timeout seconds_interval not null,
  caller_id text not null default '',
  check_duplicate text not null check (check_duplicate in ('NEVER', 'ALWAYS', 'ONLY_IF_OPEN')),
  duplicate_scope text not null check (duplicate_scope in ('ANY_NUMBER', 'PRIMARY')),
  -- How long a silent attempt that was begun is held, from the end of its lease (D3).
  quarantine seconds_interval not null,
  -- The same for a call that was answered (D3).
  max_talk seconds_interval not null,
  settings_version integer not null default 1,
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint campaign_ends_after_it_starts check (end_at > start_at)
);

-- Retry settings. A version is never changed: history names the one that decided each call (R10). The columns of a
-- status have its name in front.
create table campaign_settings (
  campaign_id bigint not null references campaign on delete cascade,
  settings_version integer not null check (settings_version >= 1),
  global_max_attempts attempt_limit not null,
  additional_phone_delay seconds_interval not null,
  no_answer_max_attempts attempt_limit not null,
  no_answer_retry_interval seconds_interval not null,
  no_answer_on_failure text not null check (no_answer_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  busy_max_attempts attempt_limit not null,
  busy_retry_interval seconds_interval not null,
  busy_on_failure text not null check (busy_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  congestion_max_attempts attempt_limit not null,
  congestion_retry_interval seconds_interval not null,
  congestion_on_failure text not null check (congestion_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  no_such_number_max_attempts attempt_limit not null,
  no_such_number_retry_interval seconds_interval not null,
  no_such_number_on_failure text not null check (no_such_number_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  drop_max_attempts attempt_limit not null,
  drop_retry_interval seconds_interval not null,
  drop_on_failure text not null check (drop_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  abandoned_max_attempts attempt_limit not null,
  abandoned_retry_interval seconds_interval not null,
  abandoned_on_failure text not null check (abandoned_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  machine_max_attempts attempt_limit not null,
  machine_retry_interval seconds_interval not null,
  machine_on_failure text not null check (machine_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  agent_reject_max_attempts attempt_limit not null,
  agent_reject_retry_interval seconds_interval not null,
  agent_reject_on_failure text not null check (agent_reject_on_failure in ('NEXT_NUMBER', 'SAME_NUMBER')),
  created_at timestamptz not null,
  primary key (campaign_id, settings_version)
);

-- A campaign always points at one of its settings versions; both rows are written in one transaction.
alter table campaign add constraint campaign_has_its_settings
  foreign key (campaign_id, settings_version) references campaign_settings (campaign_id, settings_version)
  deferrable initially deferred;

create table campaign_list (
  campaign_id bigint not null references campaign on delete cascade,
  contact_list_id bigint not null references contact_list,
  added_at timestamptz not null,
  primary key (campaign_id, contact_list_id)
);

-- Campaigns of a list: loading a new contact, deleting a list.
create index campaign_list_by_list on campaign_list (contact_list_id, campaign_id);
