-- Everything that a schema consists of, one line an object, as pg_dump would say it.
with relation as (
  select
    oid as id, relname, relkind, relpersistence, reloptions, relpartbound
  from pg_class where relnamespace = 'callhopper'::regnamespace and relkind <> 't'
)
select concat_ws(' ',
  'relation', relkind, relname, relpersistence, array_to_string(reloptions, ','),
  pg_get_partkeydef(id), pg_get_expr(relpartbound, id), obj_description(id, 'pg_class')
) as line
from relation
union all
select concat_ws(' ',
  'column', relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
  attgenerated, attstorage, pg_get_expr(adbin, adrelid), attcollation::regcollation,
  col_description(id, attnum)
)
from relation
join pg_attribute on attrelid = id and attnum > 0 and not attisdropped
left join pg_attrdef on adrelid = attrelid and adnum = attnum
union all
select concat_ws(' ',
  'constraint', coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text), conname,
  pg_get_constraintdef(oid)
)
from pg_constraint where connamespace = 'callhopper'::regnamespace
union all
select concat_ws(' ', 'index', pg_get_indexdef(indexrelid))
from pg_index join relation on id = indexrelid
union all
select concat_ws(' ', 'view', relname, pg_get_viewdef(id)) from relation where relkind in ('v', 'm')
union all
select concat_ws(' ',
  'function', oid::regprocedure, case when prokind <> 'a' then pg_get_functiondef(oid) end
)
from pg_proc where pronamespace = 'callhopper'::regnamespace
union all
select concat_ws(' ', 'trigger', relname, pg_get_triggerdef(pg_trigger.oid))
from pg_trigger join relation on id = tgrelid where not tgisinternal
union all
select concat_ws(' ', 'statistics', pg_get_statisticsobjdef(oid))
from pg_statistic_ext where stxnamespace = 'callhopper'::regnamespace
union all
select concat_ws(' ', 'type', typname, typtype, format_type(typbasetype, typtypmod), typnotnull)
from pg_type where typnamespace = 'callhopper'::regnamespace and typtype in ('d', 'e', 'r')
