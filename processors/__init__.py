"""
The victim notification pipeline: a map of its packages.

pipeline.py   the stages and their order
stage.py      the types that every stage uses: Record, TimerFired, Decision; no I/O
topics.py     the definition of every topic
handover.py   merges the states of two offender keys
tally.py      records that count the parts of a submission, for its response
dead_letter_seal.py  the seal of a dead letter that may hold a registrant's data
ingest/       read (stateless, any number of copies), then identify (one partition, in order)
dedupe/       removes duplicates; holds cancellations
validate/     checks an event against what is known of the offender
match/        finds who registered for the offender
deliver/      notifies each registrant, on every channel, in their language
domain/       the vocabulary: immutable values, no I/O
rules/        the rules as data: code lists, transitions, calendars, texts; one TOML file per jurisdiction
runtime/      runs the stages: Kafka, Redis, clocks, processes
views/        read models of the topics, for the pages
masking.py, web_headers.py  shared by the pages
console/      the staff's pages
site/         the public's pages
watch/        metrics measured from outside the stages
providers/    delivery: SMTP, Twilio
rehearsal/    runs a feed through the pipeline and compares the output with an answer key
simulation/   simulates a feed and its answer key
cli/          the `vn` command
"""
