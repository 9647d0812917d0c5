-- What schema/sqlite/ has after its step of this number; earlier ones were never in PostgreSQL. Only what the
-- kind of database asks for differs:
--  - Text sorts by bytes ("C"), as SQLite's does. All integers are bigint.
--  - Whatever belongs to a team says so in its own row, so that tables can be divided by team one day.
--  - No row is written by everybody: sums are divided among the connections, or counted where they are few.
-- Nothing that was pushed is ever changed or removed; triggers refuse it even to a person with a shell.

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'immutable: % of %', lower(tg_op), tg_table_name;
end $$;

create table repository (
    id bigint generated always as identity primary key,
    name text collate "C" not null unique,
    created_ms bigint not null,
    team text collate "C" not null generated always as (split_part(name, '/', 1)) stored
);

-- A manifest's bytes, shared by all repositories it was pushed to.
create table content (
    digest text collate "C" primary key,
    bytes bytea not null
);

-- That a repository has a manifest, and what is looked up of it without reading it.
create table manifest (
    repository_id bigint not null references repository (id),
    digest text collate "C" not null references content (digest),
    media_type text collate "C" not null,
    artifact_type text collate "C" not null,
    annotations text collate "C" not null,
    subject text collate "C",
    config_digest text collate "C",
    size_bytes bigint not null,
    image_size_bytes bigint not null,
    created_by text collate "C" not null,
    created_ms bigint not null,
    platforms text collate "C" not null default '',
    is_runnable bigint not null default 0 check (is_runnable between 0 and 1),
    created_by_kind text collate "C" not null default 'unknown',
    team text collate "C" not null,
    primary key (repository_id, digest)
);

create index manifest_by_subject on manifest (repository_id, subject, created_ms, digest) where subject is not null;
create index manifest_by_image on manifest (coalesce(config_digest, digest));

-- kind: 0 version, 1 snapshot, 2 signature. A tag that may move is as young as its last move.
create table tag (
    sequence bigint generated always as identity primary key,
    repository_id bigint not null,
    name text collate "C" not null,
    digest text collate "C" not null,
    kind bigint not null check (kind between 0 and 2),
    created_by text collate "C" not null,
    created_ms bigint not null,
    is_runnable bigint not null default 0 check (is_runnable between 0 and 1),
    created_by_kind text collate "C" not null default 'unknown',
    team text collate "C" not null,
    unique (repository_id, name),
    foreign key (repository_id, digest) references manifest (repository_id, digest)
);

create index tag_by_age on tag (repository_id, created_ms, sequence) where kind <> 2;
create index tag_by_rank on tag (repository_id, is_runnable, created_ms, sequence) where kind <> 2;
create index tag_by_digest on tag (repository_id, digest);

-- Every creation (no old digest) and every move of a tag.
create table tag_change (
    sequence bigint generated always as identity primary key,
    repository_id bigint not null references repository (id),
    name text collate "C" not null,
    old_digest text collate "C",
    new_digest text collate "C" not null,
    changed_by text collate "C" not null,
    changed_ms bigint not null,
    changed_by_kind text collate "C" not null default 'unknown',
    team text collate "C" not null
);

create index tag_change_by_tag on tag_change (repository_id, name, sequence);

-- What is still being pushed. state is opaque here: the hash so far.
create table upload (
    id text collate "C" primary key,
    repository text collate "C" not null,
    created_by text collate "C" not null,
    offset_bytes bigint not null,
    state bytea not null,
    created_ms bigint not null,
    updated_ms bigint not null,
    login bytea,
    login_ends_ms bigint not null default 0,
    team text collate "C" not null generated always as (split_part(repository, '/', 1)) stored
);

create index upload_by_age on upload (updated_ms, id);
create index upload_by_identity on upload (created_by);
create index upload_by_team on upload (team);

-- Bytes of an upload that its store cannot take yet, because they are too few (S3: the part that is not full).
create table upload_tail (
    upload_id text collate "C" primary key references upload (id) on delete cascade,
    bytes bytea not null
);

-- What became of an upload: for the client that asks once more, because the answer was lost. For an hour at
-- most. digest is null if it was given up.
create table ended_upload (
    id text collate "C" primary key,
    repository text collate "C" not null,
    created_by text collate "C" not null,
    created_ms bigint not null,
    login bytea,
    login_ends_ms bigint not null,
    digest text collate "C",
    ended_ms bigint not null,
    team text collate "C" not null generated always as (split_part(repository, '/', 1)) stored
);

create index ended_upload_by_age on ended_upload (ended_ms);

-- How much is still being pushed, by whom (kind 0) and to which team (kind 1). Limits keep both few.
create view upload_sum as
select cast(0 as bigint) as kind, created_by as name, count(*) as uploads,
    cast(sum(offset_bytes) as bigint) as bytes
from upload group by created_by
union all
select cast(1 as bigint), team, count(*), cast(sum(offset_bytes) as bigint) from upload group by team;

-- Keys that sign the registry's own tokens, for all instances. sealed: encrypted under a secret that is not in
-- the database.
create table token_key (
    id text collate "C" primary key,
    created_ms bigint not null,
    sealed bytea not null
);

-- Every blob that a manifest names, and every manifest, once each: what the registry holds in all. What is not
-- known to be here counts no bytes.
create table named_blob (
    digest text collate "C" primary key,
    size_bytes bigint not null
);

-- Where an image says it was built from, or somebody trusted says so for it (origin 0: a file in a layer,
-- 1: said by the pusher). Of a tag's, the newest counts; what was said before stays.
create table scm_source (
    sequence bigint generated always as identity primary key,
    repository_id bigint not null,
    tag text collate "C" not null,
    digest text collate "C" not null,
    origin bigint not null check (origin between 0 and 1),
    url text collate "C" not null,
    revision text collate "C" not null,
    author text collate "C" not null,
    status text collate "C" not null,
    created_by text collate "C" not null,
    created_ms bigint not null,
    created_by_kind text collate "C" not null default 'unknown',
    team text collate "C" not null,
    foreign key (repository_id, digest) references manifest (repository_id, digest)
);

create index scm_source_by_tag on scm_source (repository_id, tag, digest, sequence);

-- Tags that somebody released to production, for a digest: a snapshot that moves is not released any more.
create table production_ready (
    repository_id bigint not null,
    tag text collate "C" not null,
    digest text collate "C" not null,
    incident_id text collate "C" not null,
    marked_by text collate "C" not null,
    marked_ms bigint not null,
    marked_by_kind text collate "C" not null default 'unknown',
    team text collate "C" not null,
    primary key (repository_id, tag, digest),
    foreign key (repository_id, digest) references manifest (repository_id, digest)
);

-- Where a blob is, for stores that leave blobs where they landed (S3), and when anybody last pushed it or asked
-- for it, about. The first place of a digest stays.
create table blob_place (
    digest text collate "C" primary key,
    location text collate "C" not null,
    size_bytes bigint not null,
    created_ms bigint not null,
    touched_ms bigint not null default 0
) with (fillfactor = 90);

create index blob_place_by_location on blob_place (location);

-- Blobs that an operator had swept: no manifest may name them until they are pushed again. Their bytes may still
-- be there, where the sweep ended in between.
create table swept_blob (
    digest text collate "C" primary key,
    swept_ms bigint not null
);

-- Places that were taken from blobs that no manifest names. None is ever used again: its object may go at any
-- time. removed_ms is null until the object is known to be gone.
create table swept_place (
    location text collate "C" primary key,
    digest text collate "C" not null,
    size_bytes bigint not null,
    touched_ms bigint not null,
    swept_ms bigint not null,
    removed_ms bigint
);

create index swept_place_not_removed on swept_place (location) where removed_ms is null;

-- What the registry holds and what each team has: kept here, so that nobody has to count it; in 64 parts, since
-- whoever adds to a row holds it until the commit is flushed. A connection has a part.
create table registry_sum_part (
    part bigint primary key,
    teams bigint not null,
    storage_bytes bigint not null
) with (fillfactor = 50);

create table team (
    name text collate "C" primary key
);

create table team_sum_part (
    team text collate "C" not null,
    part bigint not null,
    artifacts bigint not null,
    tags bigint not null,
    primary key (team, part)
) with (fillfactor = 50);

insert into registry_sum_part select part, 0, 0 from generate_series(0, 63) as part;

create view registry_sum as
select cast(1 as bigint) as id, cast(sum(teams) as bigint) as teams,
    cast(sum(storage_bytes) as bigint) as storage_bytes
from registry_sum_part;

create view team_sum as
select team, cast(sum(artifacts) as bigint) as artifacts, cast(sum(tags) as bigint) as tags
from team_sum_part group by team;

create function sum_part() returns bigint language sql stable as $$
    select cast(pg_backend_pid() % 64 as bigint)
$$;

create function set_team() returns trigger language plpgsql as $$
begin
    select team into strict new.team from repository where id = new.repository_id;
    return new;
end $$;

create function count_repository() returns trigger language plpgsql as $$
begin
    insert into team (name) values (new.team) on conflict do nothing;
    if found then
        update registry_sum_part set teams = teams + 1 where part = sum_part();
    end if;
    insert into team_sum_part (team, part, artifacts, tags) values (new.team, sum_part(), 1, 0)
    on conflict (team, part) do update set artifacts = team_sum_part.artifacts + 1;
    return null;
end $$;

create function count_tag() returns trigger language plpgsql as $$
begin
    insert into team_sum_part (team, part, artifacts, tags) values (new.team, sum_part(), 0, 1)
    on conflict (team, part) do update set tags = team_sum_part.tags + 1;
    return null;
end $$;

create function count_named_blob() returns trigger language plpgsql as $$
begin
    update registry_sum_part set storage_bytes = storage_bytes + new.size_bytes where part = sum_part();
    return null;
end $$;

create function keep_named_place() returns trigger language plpgsql as $$
begin
    if exists (select 1 from named_blob where digest = old.digest) then
        raise exception 'immutable: delete of blob_place';
    end if;
    return old;
end $$;

create trigger team_is_set before insert on manifest for each row execute function set_team();
create trigger team_is_set before insert on tag for each row execute function set_team();
create trigger team_is_set before insert on tag_change for each row execute function set_team();
create trigger team_is_set before insert on scm_source for each row execute function set_team();
create trigger team_is_set before insert on production_ready for each row execute function set_team();

create trigger repository_is_counted after insert on repository for each row execute function count_repository();
create trigger tag_is_counted after insert on tag for each row when (new.kind <> 2) execute function count_tag();
create trigger named_blob_is_counted after insert on named_blob
    for each row when (new.size_bytes <> 0) execute function count_named_blob();

create trigger is_never_changed before update or delete on repository
    for each row execute function refuse_change();
create trigger is_never_changed before update or delete on content for each row execute function refuse_change();
create trigger is_never_changed before update or delete on manifest for each row execute function refuse_change();
create trigger is_never_changed before update or delete on tag_change
    for each row execute function refuse_change();
create trigger is_never_changed before update or delete on named_blob
    for each row execute function refuse_change();
create trigger is_never_changed before update or delete on scm_source
    for each row execute function refuse_change();
create trigger is_never_changed before update or delete on production_ready
    for each row execute function refuse_change();
create trigger is_never_deleted before delete on tag for each row execute function refuse_change();
create trigger version_never_moves before update on tag for each row
    when (old.kind = 0 or new.kind <> old.kind or new.name <> old.name
        or new.repository_id <> old.repository_id or new.team <> old.team)
    execute function refuse_change();
create trigger blob_place_never_moves before update on blob_place for each row
    when (new.digest <> old.digest or new.location <> old.location or new.size_bytes <> old.size_bytes
        or new.created_ms <> old.created_ms)
    execute function refuse_change();
create trigger named_blob_keeps_its_place before delete on blob_place
    for each row execute function keep_named_place();
create trigger swept_place_never_changes before update on swept_place for each row
    when (new.location <> old.location or new.digest <> old.digest or new.size_bytes <> old.size_bytes
        or new.touched_ms <> old.touched_ms or new.swept_ms <> old.swept_ms)
    execute function refuse_change();
create trigger is_never_deleted before delete on swept_place for each row execute function refuse_change();

-- `truncate` passes by triggers of rows.
create trigger is_never_truncated before truncate on repository execute function refuse_change();
create trigger is_never_truncated before truncate on content execute function refuse_change();
create trigger is_never_truncated before truncate on manifest execute function refuse_change();
create trigger is_never_truncated before truncate on tag execute function refuse_change();
create trigger is_never_truncated before truncate on tag_change execute function refuse_change();
create trigger is_never_truncated before truncate on named_blob execute function refuse_change();
create trigger is_never_truncated before truncate on scm_source execute function refuse_change();
create trigger is_never_truncated before truncate on production_ready execute function refuse_change();
create trigger is_never_truncated before truncate on blob_place execute function refuse_change();
create trigger is_never_truncated before truncate on swept_place execute function refuse_change();
