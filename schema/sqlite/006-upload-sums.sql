-- How much is still being pushed, by whom (kind 0, upload.created_by) and to which team (kind 1, what a
-- repository's name begins with): kept here, so that a limit costs a look-up and not a count.
create table upload_sum (
    kind integer not null check (kind between 0 and 1),
    name text not null,
    uploads integer not null,
    bytes integer not null,
    primary key (kind, name)
) strict, without rowid;

insert into upload_sum select 0, created_by, count(*), sum(offset_bytes) from upload group by created_by;
insert into upload_sum
select 1, substr(repository, 1, instr(repository, '/') - 1) as team, count(*), sum(offset_bytes)
from upload group by team;

create trigger upload_is_counted after insert on upload begin
    insert into upload_sum (kind, name, uploads, bytes) values
        (0, new.created_by, 1, new.offset_bytes),
        (1, substr(new.repository, 1, instr(new.repository, '/') - 1), 1, new.offset_bytes)
    on conflict (kind, name) do update set uploads = uploads + 1, bytes = bytes + excluded.bytes;
end;
create trigger upload_is_counted_again after update of offset_bytes on upload
when new.offset_bytes <> old.offset_bytes begin
    update upload_sum set bytes = bytes + (new.offset_bytes - old.offset_bytes)
    where kind = 0 and name = new.created_by;
    update upload_sum set bytes = bytes + (new.offset_bytes - old.offset_bytes)
    where kind = 1 and name = substr(new.repository, 1, instr(new.repository, '/') - 1);
end;
create trigger upload_is_not_counted_any_more after delete on upload begin
    update upload_sum set uploads = uploads - 1, bytes = bytes - old.offset_bytes
    where kind = 0 and name = old.created_by;
    update upload_sum set uploads = uploads - 1, bytes = bytes - old.offset_bytes
    where kind = 1 and name = substr(old.repository, 1, instr(old.repository, '/') - 1);
    delete from upload_sum where kind = 0 and name = old.created_by and uploads = 0;
    delete from upload_sum
    where kind = 1 and name = substr(old.repository, 1, instr(old.repository, '/') - 1) and uploads = 0;
end;
