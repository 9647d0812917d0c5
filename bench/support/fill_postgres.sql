-- :tags tags in :artifacts artifacts, in the order in which years would bring them: artifact number A is
-- team<A/100>/app<A>, its tags are 1.0, 1.1, … The rows are those that a small image's push makes: a config, a
-- layer and a manifest. Without triggers, which take minutes; what they would write is written here.
begin;
set local session_replication_role = replica;

create temporary table wanted on commit drop as
select n, n % :artifacts + 1 as repository_id, 'team' || (n % :artifacts) / 100 as team,
    '1.' || n / :artifacts as name, 'sha256:' || encode(sha256(cast('config ' || n as bytea)), 'hex') as config,
    'sha256:' || encode(sha256(cast('layer ' || n as bytea)), 'hex') as layer, 1700000000000 + n as created_ms
from generate_series(0, cast(:tags - 1 as bigint)) as n;

create temporary table pushed on commit drop as
select wanted.*, bytes, 'sha256:' || encode(sha256(bytes), 'hex') as digest
from wanted, lateral (select cast(
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",'
    '"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"' || config || '","size":111},'
    '"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"' || layer
    || '","size":4096}]}' as bytea) as bytes) as manifest;

insert into repository (id, name, created_ms)
select a + 1, 'team' || a / 100 || '/app' || a, 1700000000000 + a
from generate_series(0, cast(:artifacts - 1 as bigint)) as a;

insert into content (digest, bytes) select digest, bytes from pushed order by n;

insert into manifest (repository_id, digest, media_type, artifact_type, annotations, config_digest, size_bytes,
    image_size_bytes, created_by, created_ms, platforms, is_runnable, created_by_kind, team)
select repository_id, digest, 'application/vnd.oci.image.manifest.v1+json', '', '', config, length(bytes), 4207,
    'bench', created_ms, '', 0, 'user', team
from pushed order by n;

insert into tag (repository_id, name, digest, kind, created_by, created_ms, is_runnable, created_by_kind, team)
select repository_id, name, digest, 0, 'bench', created_ms, 0, 'user', team from pushed order by n;

insert into tag_change (repository_id, name, new_digest, changed_by, changed_ms, changed_by_kind, team)
select repository_id, name, digest, 'bench', created_ms, 'user', team from pushed order by n;

insert into named_blob (digest, size_bytes)
select named.digest, named.size_bytes
from pushed, lateral (values (config, 111), (layer, 4096), (pushed.digest, length(bytes)))
    as named (digest, size_bytes)
order by n;

insert into team (name) select distinct team from repository;
insert into team_sum_part (team, part, artifacts, tags)
select repository.team, 0, count(distinct repository.id), count(tag.sequence)
from repository left join tag on tag.repository_id = repository.id group by repository.team;
update registry_sum_part set teams = (select count(*) from team),
    storage_bytes = (select sum(size_bytes) from named_blob)
where part = 0;
select setval(pg_get_serial_sequence('repository', 'id'), :artifacts);
commit;
vacuum analyze;
checkpoint;
