"""
The rules of one jurisdiction as a document that its administrator can read and sign.

The specification wants a "clear method" documented wherever it leaves a rule to the jurisdiction. The document consists
of parts with a heading, sentences and a table; `vn rules show` lays them out.
"""
