"""
Watch: an eye outside the stages, in no consumer group or transaction of theirs.

loop.py      one look every few seconds; what could not be seen is absent, never old
groups.py    lag, age and hidden records of every stage, from Kafka alone: true of a dead stage too
brokers.py   brokers and topics: under-replicated, and how long until retention removes something unread
redis.py     the store: up, memory, persistence, eviction
tables.py    open reviews, expectations, agencies heard, open dead letters: folds over compacted topics
canary.py    a message of its own through the whole pipeline, every few minutes
metrics.py   every metric of the watch, once
"""
