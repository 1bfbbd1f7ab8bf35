"""
Text messages and calls through Twilio's HTTP API.

api.py        hands a message over
codes.py      what Twilio's error codes and statuses mean: data, in codes.toml
twiml.py      a call as Twilio's markup: the text, and the question for the PIN
callbacks.py  takes what Twilio reports, checks its signature, and writes receipts
"""
