"""
Deliver: tells each registrant, on every channel, in their language.

decide.py     the stage: which state an input needs, and which file decides about it
inbox/        the inputs: notifications, registrations, receipts, reviewers' actions
gathering.py  merging notifications of one event, and what a change or cancellation does to what was not sent yet
release.py    what is due: sent, kept for the morning, flagged for review, or dropped
quiet.py      quiet hours
contacts.py   where a registrant can be reached
dispatch/     deliveries: attempts, and the outbound record of each
wording/      the texts of the rules, filled in with the facts
moment.py     the context of one decision
state.py      what is kept of a registrant
"""
