-- Loading contacts into a campaign's hopper (E2).

-- Loads contacts of a list: one entry a contact, due at once or at the contact's earliest call time. only_contacts null means
-- the whole list. Answers how many were loaded and how many the duplicate check ruled out.
-- One statement loads all. Only contacts of this load that share a number are looked at one by one, in order of id: each is
-- loaded if its numbers are still free, so that the lower id wins and nobody is left out for the sake of a contact that was
-- left out itself.
-- Whether a contact has an entry is looked up by a scalar subquery, not by an anti-join: before the first analyze PostgreSQL
-- would scan the entries that this very statement inserts, 20 s instead of 0.3 s for 20,000 contacts.
-- Locks: the campaign row, so that two loads cannot let the same number in twice.
create function load_entries(of_campaign bigint, of_list bigint, only_contacts bigint[])
returns table (loaded_count bigint, duplicate_count bigint)
language plpgsql volatile
as $$
declare
  campaign campaign;
  moment timestamptz := clock();
  contested record;
  taken text[] := '{}';
  duplicates bigint[] := '{}';
begin
  select * into strict campaign from campaign c where c.campaign_id = of_campaign for no key update;

  if campaign.check_duplicate <> 'NEVER' then
    -- contacts with a number that is in the campaign already
    if exists (select 1 from hopper_load load where load.campaign_id = of_campaign and load.loaded_count > 0) then
      select coalesce(array_agg(contact.contact_id), '{}') into duplicates
      from contact
      where contact.contact_list_id = of_list and contact.deleted_at is null
        and (only_contacts is null or contact.contact_id = any(only_contacts))
        and (
          select true from hopper_entry entry
          where entry.campaign_id = of_campaign and entry.contact_id = contact.contact_id
        ) is null
        and exists (
          select 1
          from contact_phone phone
          join contact_phone other on other.e164 = phone.e164
          where phone.contact_id = contact.contact_id
            and (campaign.duplicate_scope = 'ANY_NUMBER' or (phone.entry_position = 0 and other.entry_position = 0))
            and (
              exists (
                select 1 from hopper_entry entry
                where entry.campaign_id = of_campaign and entry.contact_id = other.contact_id
              )
              or (
                campaign.check_duplicate = 'ALWAYS'
                and exists (
                  select 1 from final where final.campaign_id = of_campaign and final.contact_id = other.contact_id
                )
              )
            )
        );
    end if;

    -- contacts of this load that share a number with another one of it
    if only_contacts is null or cardinality(only_contacts) > 1 then
      for contested in
        with number as materialized (
          select phone.contact_id, phone.e164
          from contact
          join contact_phone phone on phone.contact_id = contact.contact_id
          where contact.contact_list_id = of_list and contact.deleted_at is null
            and (only_contacts is null or contact.contact_id = any(only_contacts))
            and (campaign.duplicate_scope = 'ANY_NUMBER' or phone.entry_position = 0)
            and (
              select true from hopper_entry entry
              where entry.campaign_id = of_campaign and entry.contact_id = contact.contact_id
            ) is null
            and not exists (
              select 1 from unnest(duplicates) as duplicate (contact_id)
              where duplicate.contact_id = contact.contact_id
            )
        ),
        shared as (select e164 from number group by e164 having count(*) > 1)
        select number.contact_id, array_agg(number.e164::text) as numbers
        from number
        join shared on shared.e164 = number.e164
        group by number.contact_id
        order by number.contact_id
      loop
        if contested.numbers && taken then
          duplicates := duplicates || contested.contact_id;
        else
          taken := taken || contested.numbers;
        end if;
      end loop;
    end if;
  end if;

  insert into hopper_entry (campaign_id, contact_id, priority, loaded_at, ready_at, scheduled_at)
  select
    of_campaign, contact.contact_id, contact.priority, moment, greatest(moment, contact.earliest_call_at),
    greatest(moment, contact.earliest_call_at)
  from contact
  where contact.contact_list_id = of_list and contact.deleted_at is null
    and (only_contacts is null or contact.contact_id = any(only_contacts))
    and (
      select true from hopper_entry entry
      where entry.campaign_id = of_campaign and entry.contact_id = contact.contact_id
    ) is null
    and not exists (
      select 1 from unnest(duplicates) as duplicate (contact_id) where duplicate.contact_id = contact.contact_id
    )
  order by contact.contact_id;
  get diagnostics loaded_count = row_count;

  duplicate_count := cardinality(duplicates);
  insert into hopper_load (campaign_id, contact_list_id, loaded_count, duplicate_count, loaded_at)
  values (of_campaign, of_list, loaded_count, duplicate_count, moment);
  return next;
end;
$$;
