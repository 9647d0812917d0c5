-- Nothing that was pushed is ever changed or removed; triggers below refuse updates and deletes even to a
-- person with a shell. (`replace` deletes without them, unless a connection sets recursive_triggers, as the
-- server does.) Times are milliseconds since 1970-01-01T00:00:00Z. Digests are text, as
-- in the OCI image specification. Text sorts by bytes (SQLite's BINARY).

create table repository (
    id integer primary key,
    name text not null unique,
    created_ms integer not null
) strict;

-- A manifest's bytes, shared by all repositories it was pushed to.
create table content (
    digest text primary key,
    bytes blob not null
) strict, without rowid;

-- That a repository has a manifest, and what is looked up of it without reading it.
create table manifest (
    repository_id integer not null references repository (id),
    digest text not null references content (digest),
    media_type text not null,
    artifact_type text not null,
    annotations text not null,
    subject text,
    config_digest text,
    size_bytes integer not null,
    image_size_bytes integer not null,
    created_by text not null,
    created_ms integer not null,
    primary key (repository_id, digest)
) strict, without rowid;

create index manifest_by_subject on manifest (repository_id, subject, digest) where subject is not null;
create index manifest_by_config on manifest (config_digest) where config_digest is not null;

-- kind: 0 version, 1 snapshot, 2 signature. A tag that may move is as young as its last move.
create table tag (
    sequence integer primary key autoincrement,
    repository_id integer not null,
    name text not null,
    digest text not null,
    kind integer not null check (kind between 0 and 2),
    created_by text not null,
    created_ms integer not null,
    unique (repository_id, name),
    foreign key (repository_id, digest) references manifest (repository_id, digest)
) strict;

create index tag_by_age on tag (repository_id, created_ms, sequence) where kind <> 2;

-- Every creation (no old digest) and every move of a tag.
create table tag_change (
    sequence integer primary key autoincrement,
    repository_id integer not null references repository (id),
    name text not null,
    old_digest text,
    new_digest text not null,
    changed_by text not null,
    changed_ms integer not null
) strict;

create index tag_change_by_tag on tag_change (repository_id, name, sequence);

-- What is still being pushed. state is opaque here: the hash so far.
create table upload (
    id text primary key,
    repository text not null,
    created_by text not null,
    offset_bytes integer not null,
    state blob not null,
    created_ms integer not null,
    updated_ms integer not null
) strict, without rowid;

create index upload_by_age on upload (updated_ms, id);

create trigger repository_is_never_updated before update on repository begin select raise(abort, 'immutable'); end;
create trigger repository_is_never_deleted before delete on repository begin select raise(abort, 'immutable'); end;
create trigger content_is_never_updated before update on content begin select raise(abort, 'immutable'); end;
create trigger content_is_never_deleted before delete on content begin select raise(abort, 'immutable'); end;
create trigger manifest_is_never_updated before update on manifest begin select raise(abort, 'immutable'); end;
create trigger manifest_is_never_deleted before delete on manifest begin select raise(abort, 'immutable'); end;
create trigger tag_change_is_never_updated before update on tag_change begin select raise(abort, 'immutable'); end;
create trigger tag_change_is_never_deleted before delete on tag_change begin select raise(abort, 'immutable'); end;
create trigger tag_is_never_deleted before delete on tag begin select raise(abort, 'immutable'); end;
create trigger version_never_moves before update on tag
when old.kind = 0 or new.kind <> old.kind or new.name <> old.name or new.repository_id <> old.repository_id
begin select raise(abort, 'immutable'); end;
