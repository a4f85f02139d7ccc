-- What all servers of one installation share.

-- The secret that signs page tokens, made with the database: one row. Two random UUIDs hold 244 random bits.
create table server_key (
  only_row boolean primary key default true,
  secret bytea not null,
  constraint there_is_one_server_key check (only_row)
);

insert into server_key (secret) values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
