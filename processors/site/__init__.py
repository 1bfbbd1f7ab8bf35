"""
The public's pages: look somebody up, register to be notified, manage one's registrations, unsubscribe.

app.py          the routes and what every answer has
page.py         one request: its language, its words, its answer
look_up.py      finding somebody
registering.py  the steps of a registration
managing.py     signing in by a code; seeing, changing, pausing and ending registrations
unsubscribing.py  RFC 8058
forms.py        what the fields of a form must be
choices.py      what one can be told of: event subtypes by what they are about
limits.py       how often one client may ask
challenge.py    proof of work for those who ask often
passage.py      sealed state that forms carry from step to step, in place of cookies
outbox.py       the site's own database: what is to be sent, and whose registrations are whose
sender.py       sends it to Kafka, whenever Kafka is there
languages.py    every sentence, a file a language
"""
