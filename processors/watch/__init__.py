"""
Watch: monitors the pipeline from outside its stages, without their consumer groups or transactions.

loop.py          measures every few seconds; a value that could not be measured is absent, never stale
groups.py        lag, age and hidden records of every stage, from Kafka alone, so also for a dead stage
brokers.py       the number of brokers, and partitions with too few replicas in sync
certificates.py  when the certificates expire that connections use
redis.py         the store: up, memory, persistence, eviction
tables.py        open reviews, expectations, agencies, open dead letters: computed from compacted topics
canary.py        a test message sent through the whole pipeline every few minutes
metrics.py       the definition of every metric of the watch
reading.py       a value of these metrics, as a Prometheus query and as read without Prometheus
boards/          Grafana's dashboards, `vn top` and the console's overview
"""
