-- What the registry holds and what each team has: kept here, so that nobody has to count it.
create table registry_sum (
    id integer primary key check (id = 1),
    teams integer not null,
    storage_bytes integer not null
) strict;

create table team_sum (
    team text primary key,
    artifacts integer not null,
    tags integer not null
) strict, without rowid;

insert into team_sum
select substr(name, 1, instr(name, '/') - 1) as team, count(*),
       sum((select count(*) from tag where repository_id = repository.id and kind <> 2))
from repository group by team;
insert into registry_sum
select 1, (select count(*) from team_sum), (select coalesce(sum(size_bytes), 0) from named_blob);

create trigger team_is_counted after insert on team_sum begin
    update registry_sum set teams = teams + 1;
end;
create trigger repository_is_counted after insert on repository begin
    insert into team_sum (team, artifacts, tags)
    values (substr(new.name, 1, instr(new.name, '/') - 1), 1, 0)
    on conflict (team) do update set artifacts = artifacts + 1;
end;
create trigger tag_is_counted after insert on tag when new.kind <> 2 begin
    update team_sum set tags = tags + 1
    where team = (select substr(name, 1, instr(name, '/') - 1) from repository where id = new.repository_id);
end;
create trigger named_blob_is_counted after insert on named_blob begin
    update registry_sum set storage_bytes = storage_bytes + new.size_bytes;
end;
