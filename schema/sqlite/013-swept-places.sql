-- When anybody last pushed the blob or asked for it, about. A place stays what it is, and a named blob's stays.
alter table blob_place add column touched_ms integer not null default 0;
drop trigger if exists blob_place_is_never_updated;
drop trigger if exists blob_place_is_never_deleted;
update blob_place set touched_ms = created_ms;

create index blob_place_by_location on blob_place (location);

create trigger blob_place_never_moves before update of digest, location, size_bytes, created_ms on blob_place
begin select raise(abort, 'immutable'); end;
create trigger named_blob_keeps_its_place before delete on blob_place
when exists (select 1 from named_blob where digest = old.digest)
begin select raise(abort, 'immutable'); end;

-- Places that were taken from blobs that no manifest names. None is ever used again: its object may go at any
-- time. removed_ms is null until the object is known to be gone.
create table swept_place (
    location text primary key,
    digest text not null,
    size_bytes integer not null,
    touched_ms integer not null,
    swept_ms integer not null,
    removed_ms integer
) strict, without rowid;

create index swept_place_not_removed on swept_place (location) where removed_ms is null;

create trigger swept_place_never_changes before update of location, digest, size_bytes, touched_ms, swept_ms
on swept_place begin select raise(abort, 'immutable'); end;
create trigger swept_place_is_never_deleted before delete on swept_place begin select raise(abort, 'immutable'); end;
