-- Contacts as people read them.

-- Living contacts with all their numbers in dial order (O1), the primary first:
-- [{"e164", "entered", "contact_item_type_id", "item_type", "order_by", "colour", "dial_position"}].
create view contacts as
select
  contact.contact_id,
  contact.contact_list_id,
  contact.first_name,
  contact.last_name,
  contact.first_name_key,
  contact.last_name_key,
  contact.email,
  contact.company,
  contact.postal_address,
  contact.description,
  contact.priority,
  contact.earliest_call_at,
  contact.time_zone,
  contact.person_key,
  contact.revision,
  contact.created_at,
  contact.updated_at,
  (
    select jsonb_agg(to_jsonb(number) - 'contact_id' - 'entry_position' order by number.dial_position)
    from dial_order number
    where number.contact_id = contact.contact_id
  ) as phones
from contact
where contact.deleted_at is null;
