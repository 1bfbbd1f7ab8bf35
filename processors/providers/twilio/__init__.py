"""
Text messages and calls through Twilio's HTTP API.

api.py        hands over messages
codes.py      the meaning of Twilio's error codes and statuses, from codes.toml
twiml.py      a call as Twilio's markup (TwiML): the text, and the prompt for the PIN
callbacks.py  receives Twilio's callbacks, checks their signature, and writes receipts
"""
