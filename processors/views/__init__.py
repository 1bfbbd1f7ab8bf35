"""
Read models for people: one SQLite file a process, following topics read-committed in no consumer group.

model.py      what a view is made of: tables, and what each record changes in them
tables.py     the staff's tables
public.py     the tables behind the public's look-up, and the look-up
database.py   the file: rows and offsets move in one transaction; another shape or another topic is built anew
follower.py   reads the topics and applies them, in a thread
queries.py    what the pages ask
"""
