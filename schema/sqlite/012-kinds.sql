-- Who did something is a kind and a name: employee alice is not service alice. What is older than this does
-- not say which it was, and is not made to: unknown.
alter table tag_change add column changed_by_kind text not null default 'unknown';
alter table tag add column created_by_kind text not null default 'unknown';
alter table manifest add column created_by_kind text not null default 'unknown';
alter table scm_source add column created_by_kind text not null default 'unknown';
alter table production_ready add column marked_by_kind text not null default 'unknown';
