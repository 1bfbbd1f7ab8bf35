"""
Read models for the pages: one SQLite file per process, fed from topics, read-committed, without a consumer group.

model.py        the definition of a view: tables, and what each record changes in them
tables.py       the staff's tables
public.py       the tables for the public's look-up, and the look-up
database.py     the file: rows and offsets change in one transaction; rebuilt if schema or topics differ
follower.py     reads the topics and applies them, in a thread
queries.py      the queries of the pages
view_reader.py  reads a view and what was written since, for commands
"""
