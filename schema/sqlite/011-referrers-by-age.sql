-- Referrers are listed newest first.
drop index manifest_by_subject;
create index manifest_by_subject on manifest (repository_id, subject, created_ms, digest) where subject is not null;
