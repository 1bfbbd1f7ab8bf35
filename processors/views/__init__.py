"""
Read models for people: one SQLite file a process, following topics read-committed in no consumer group.

tables.py     the tables, and what each record changes in them
database.py   the file: rows and offsets move in one transaction; another shape or another topic is built anew
follower.py   reads the topics and applies them, in a thread
queries.py    what the pages ask
"""
