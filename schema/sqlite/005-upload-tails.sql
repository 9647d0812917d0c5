-- Bytes of an upload that its store cannot take yet, because they are too few (S3: the part that is not
-- full). Of their own, so that they are read only where there is memory for them; and with a rowid:
-- without one, SQLite reads a whole row to compare its key.
create table upload_tail (
    upload_id text not null primary key references upload (id) on delete cascade,
    bytes blob not null
);
