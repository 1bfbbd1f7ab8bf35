"""
The victim notification pipeline, as a map.

pipeline.py   the only wiring: which stages there are and in what order
stage.py      the grammar every stage is written in: Record, Wake, Decision; pure
topics.py     every topic once
ingest/       the front door: read (many, stateless), then identify (one order for everything)
dedupe/       one event is told once
validate/     what an event may follow, where it may lead, and when it must be told
match/        who registered for this offender
deliver/      what each registrant is told, on which channel, in which words
domain/       the vocabulary: frozen values, no input or output
rules/        the rules as data: code lists, transitions, calendars, texts; one TOML file a jurisdiction
runtime/      the shell: Kafka, Redis, clocks, processes; the only place with effects
cli/          the `vn` command
"""
