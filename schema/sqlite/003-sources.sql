-- The platforms of an image, one a line: `linux/arm64/v8`. Empty where its config does not tell.
alter table manifest add column platforms text not null default '';

-- Every blob that a manifest names, and every manifest, once each: what the registry holds in all.
create table named_blob (
    digest text primary key,
    size_bytes integer not null
) strict, without rowid;

-- Where an image says it was built from, or somebody trusted says so for it (origin 0: a file in a layer,
-- 1: said by the pusher). Of a tag's, the newest counts; what was said before stays.
create table scm_source (
    sequence integer primary key autoincrement,
    repository_id integer not null,
    tag text not null,
    digest text not null,
    origin integer not null check (origin between 0 and 1),
    url text not null,
    revision text not null,
    author text not null,
    status text not null,
    created_by text not null,
    created_ms integer not null,
    foreign key (repository_id, digest) references manifest (repository_id, digest)
) strict;

create index scm_source_by_tag on scm_source (repository_id, tag, digest, sequence);

-- Tags that somebody released to production, for a digest: a snapshot that moves is not released any more.
create table production_ready (
    repository_id integer not null,
    tag text not null,
    digest text not null,
    incident_id text not null,
    marked_by text not null,
    marked_ms integer not null,
    primary key (repository_id, tag, digest),
    foreign key (repository_id, digest) references manifest (repository_id, digest)
) strict, without rowid;

-- An image is looked up by its id: its config's digest, or its own where it has no config.
create index manifest_by_image on manifest (coalesce(config_digest, digest));
create index tag_by_digest on tag (repository_id, digest);

create trigger named_blob_is_never_updated before update on named_blob begin select raise(abort, 'immutable'); end;
create trigger named_blob_is_never_deleted before delete on named_blob begin select raise(abort, 'immutable'); end;
create trigger scm_source_is_never_updated before update on scm_source begin select raise(abort, 'immutable'); end;
create trigger scm_source_is_never_deleted before delete on scm_source begin select raise(abort, 'immutable'); end;
create trigger production_ready_is_never_updated before update on production_ready begin select raise(abort, 'immutable'); end;
create trigger production_ready_is_never_deleted before delete on production_ready begin select raise(abort, 'immutable'); end;
