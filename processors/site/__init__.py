"""
The public's pages: look somebody up, register to be notified, manage one's registrations, unsubscribe.

app.py            the routes, and what every response has in common
page.py           one request: its language, its texts, its response
look_up.py        looking somebody up
registering.py    the steps of a registration
managing.py       signing in with a code; seeing, changing, pausing and ending registrations
unsubscribing.py  one-click unsubscription (RFC 8058)
forms.py          validation of form fields
choices.py        the kinds of news to choose from, each a set of event subtypes
hotlines.py       sentences about hotlines
limits.py         rate limits per client
challenge.py      proof of work for clients that look up often
sealed_values.py  sealed values that forms carry from step to step, instead of cookies
outbox.py         the site's database: unsent records, and who owns which registration
sender.py         sends them to Kafka
languages.py      every text, one file per language
"""
