"""
Delivery providers: consumers of the outbound topics that hand messages to vendors and write receipts.

worker.py    the consumer of one channel: commits an intent before each call to a vendor, and the outcome after it
backlog.py   messages read and not yet settled; emergencies first
dispatch.py  chooses the vendor for a message, and decides what follows from its answer
failover.py  when to leave a vendor, and when to return
ledger.py    the intents without an outcome, stored in Kafka
outcome.py   the outcomes of a call, and the interface of a vendor
config.py    the file that describes the vendors
smtp.py      email by SMTP; mail.py builds the message with html.py, dkim.py signs it, dsn.py reads bounces
ssml.py      the text of a call as SSML
twilio/      text messages and calls over HTTP, and the callbacks that report their status
console.py   prints messages, to try things out
"""
