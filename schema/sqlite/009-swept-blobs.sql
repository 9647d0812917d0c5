-- Blobs that an operator had swept: no manifest may name them until they are pushed again. Their bytes may
-- still be there, where the sweep ended in between.
create table swept_blob (
    digest text primary key,
    swept_ms integer not null
) strict, without rowid;

-- From now on named_blob has all that manifests name, also what an index names and what need not be here;
-- for those of before, all that looks like it. What is not known to be here counts no bytes.
insert into named_blob (digest, size_bytes)
select distinct atom, 0
from (select cast(bytes as text) as text from content where json_valid(cast(bytes as text))), json_tree(text)
where key = 'digest' and type = 'text'
on conflict (digest) do nothing;
