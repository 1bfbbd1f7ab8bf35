"""
Watch: monitors the pipeline from outside its stages, without their consumer groups or transactions.

loop.py      measures every few seconds; a value that could not be measured is absent, never stale
groups.py    lag, age and hidden records of every stage, from Kafka alone: true of a dead stage too
brokers.py   brokers and topics: under-replicated, and how long until retention removes something unread
certificates.py  when the certificates end that connections depend on
redis.py     the store: up, memory, persistence, eviction
tables.py    open reviews, expectations, agencies heard, open dead letters: folds over compacted topics
canary.py    a message of its own through the whole pipeline, every few minutes
metrics.py   every metric of the watch, once
reading.py   a value of these metrics, as Prometheus is asked for it and as it is read without one
boards/      what is shown of it: Grafana's dashboards, `vn top` and the console's overview
"""
