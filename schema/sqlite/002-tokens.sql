-- Keys that sign the registry's own tokens, for all instances. sealed: encrypted under a secret that is
-- not in the database. Old ones are removed: they sign nothing and verify nothing any more.
create table token_key (
    id text primary key,
    created_ms integer not null,
    sealed blob not null
) strict, without rowid;

-- A keyed hash of the credentials that an upload was begun with: they may outlive their own time for it.
alter table upload add column login blob;
