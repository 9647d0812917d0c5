-- Whether a manifest can be run: an image, or an index that has one (registry/runnable.h says which those
-- are). A tag says it of the manifest that it is at; what `latest` means comes last in tag_by_rank.
alter table manifest add column is_runnable integer not null default 0 check (is_runnable between 0 and 1);
alter table tag add column is_runnable integer not null default 0 check (is_runnable between 0 and 1);

-- What was pushed before: the rule of registry/runnable.c, once, in SQL. Manifests and tags stay what they are,
-- and their guards stand again when this step is committed.
drop trigger manifest_is_never_updated;
drop trigger version_never_moves;

create temporary view document as
select manifest.repository_id, manifest.digest, manifest.artifact_type,
    iif(json_valid(cast(content.bytes as text)), cast(content.bytes as text), '{}') as body
from manifest join content on content.digest = manifest.digest;

update manifest set is_runnable = 1 where (repository_id, digest) in (
    select repository_id, digest from document
    where lower(artifact_type) in
        ('application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json')
    and json_extract(body, '$.config.mediaType') = artifact_type
    and (json_array_length(body, '$.layers') = 0 or exists (
        select 1 from json_each(body, '$.layers') as layer
        where lower(json_extract(layer.value, '$.mediaType')) glob 'application/vnd.oci.image.layer.*'
        or lower(json_extract(layer.value, '$.mediaType')) glob 'application/vnd.docker.image.rootfs.*')));

with recursive
entry as materialized (
    select document.repository_id, document.digest, json_extract(entry.value, '$.digest') as names
    from document, json_each(document.body, '$.manifests') as entry where document.artifact_type = ''),
runnable (repository_id, digest) as (
    select entry.repository_id, entry.digest from entry join manifest
        on manifest.repository_id = entry.repository_id and manifest.digest = entry.names
        where manifest.is_runnable = 1
    union select entry.repository_id, entry.digest from runnable join entry
        on entry.repository_id = runnable.repository_id and entry.names = runnable.digest)
update manifest set is_runnable = 1 where (repository_id, digest) in (select repository_id, digest from runnable);

drop view document;

update tag set is_runnable = 1 where exists (
    select 1 from manifest where manifest.repository_id = tag.repository_id
    and manifest.digest = tag.digest and manifest.is_runnable = 1);

create index tag_by_rank on tag (repository_id, is_runnable, created_ms, sequence) where kind <> 2;

create trigger manifest_is_never_updated before update on manifest begin select raise(abort, 'immutable'); end;
create trigger version_never_moves before update on tag
when old.kind = 0 or new.kind <> old.kind or new.name <> old.name or new.repository_id <> old.repository_id
begin select raise(abort, 'immutable'); end;
