"""
Deliver: what each registrant is told, on which channel, in which words.

decide.py     the stage
gather.py     what waits together, and what a change or cancellation does to what has not left yet
quiet.py      when a registrant is not to be disturbed
words.py      the texts of the rules with the facts filled in, per language and channel
gsm7.py       one text message segment: its alphabet, its length, what is shortened to fit
attempts.py   references, contacts to reach, and what receipts make of an attempt
state.py      what is kept of a registrant
"""
