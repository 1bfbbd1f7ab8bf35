"""
Runs the stages; the pipeline's side effects are here.

run/      one stage in a process: batches, transactions, caches, supervision
decide/   a batch in memory: states, timers, the in-memory driver
kafka/    Kafka clients
wire/     encoding of records
local/    a broker and a store on this machine
"""
