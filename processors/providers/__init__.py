"""
Delivery providers: consumers of the outbound topics that hand messages to vendors and write receipts.

worker.py    one channel's consumer: intent committed before a call, outcome after it
dispatch.py  which vendor a message is given to, and what follows from the answer
failover.py  when to leave a vendor, and when to return
ledger.py    the intents without an outcome, kept in Kafka
config.py    the file that describes the vendors
smtp.py      email by SMTP; mail.py builds the message with html.py, dkim.py signs it, dsn.py reads what bounces
twilio/      text messages and calls over HTTP, and the callbacks that say what became of them
console.py   prints messages, for trying things out
"""
