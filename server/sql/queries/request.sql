-- What all requests share: the secret of page tokens, and the answers of repeated requests.

-- name: get_server_key :many
-- The secret that signs page tokens: one row.
select secret
from server_key;

-- name: take_request_id :exec
-- Takes a request_id for this transaction; touches no row when it is taken. Waits for a transaction that is taking it. Index:
-- primary key.
insert into request_log (request_id, rpc, request_digest, response, created_at)
values (%(request_id)s::uuid, %(rpc)s::text, %(request_digest)s::bytea, '', clock())
on conflict (request_id) do nothing;

-- name: keep_answer :exec
-- Keeps the answer of the request that has just taken its id.
update request_log
set response = %(response)s::bytea
where request_id = %(request_id)s::uuid;

-- name: get_answer :many
-- The request that has this id, and its answer: one row.
select rpc, request_digest, response
from request_log
where request_id = %(request_id)s::uuid;
