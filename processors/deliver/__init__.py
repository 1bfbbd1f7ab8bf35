"""
Deliver: what each registrant is told, on which channel, in which words.

decide.py     the stage: which state an input needs, and which file decides about it
inbox/        what comes in: notifications, registrations, receipts, reviewers' actions
gathering.py  what waits together, and what a change or cancellation does to what has not left yet
release.py    what is due: told, left for the morning, put before a reviewer, or dropped
quiet.py      when a registrant is not to be disturbed
contacts.py   where a registrant can be reached
dispatch/     what goes out: attempts, and the outbound record of each
wording/      the texts of the rules, filled in with the facts
moment.py     what one decision knows beside the states
state.py      what is kept of a registrant
"""
