-- When the login that an upload was begun with ends, and from when on it is only good for a while.
alter table upload add column login_ends_ms integer not null default 0;
update upload set login_ends_ms = created_ms;

-- What became of an upload: for the client that asks once more, because the answer was lost. For an hour
-- at most. digest is null if it was given up.
create table ended_upload (
    id text primary key,
    repository text not null,
    created_by text not null,
    created_ms integer not null,
    login blob,
    login_ends_ms integer not null,
    digest text,
    ended_ms integer not null
) strict, without rowid;

create index ended_upload_by_age on ended_upload (ended_ms);
