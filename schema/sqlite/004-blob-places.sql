-- Where a blob is, for stores that leave blobs where they landed (S3). The first place of a digest stays.
create table blob_place (
    digest text primary key,
    location text not null,
    size_bytes integer not null,
    created_ms integer not null
) strict, without rowid;

create trigger blob_place_is_never_updated before update on blob_place begin select raise(abort, 'immutable'); end;
create trigger blob_place_is_never_deleted before delete on blob_place begin select raise(abort, 'immutable'); end;
