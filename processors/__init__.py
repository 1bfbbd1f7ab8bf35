"""
The victim notification pipeline, as a map.

pipeline.py   the only wiring: which stages there are and in what order
stage.py      the types of every stage: Record, Wake, Decision; pure
topics.py     every topic once
ingest/       read (stateless, any number of copies), then identify (one partition, one order)
dedupe/       removes duplicates; holds cancellations
validate/     checks an event against what is known of the offender
match/        finds who registered for the offender
deliver/      tells each registrant, on every channel, in their language
domain/       the vocabulary: frozen values, no input or output
rules/        the rules as data: code lists, transitions, calendars, texts; one TOML file a jurisdiction
runtime/      the shell: Kafka, Redis, clocks, processes; the only place with effects
cli/          the `vn` command
"""
