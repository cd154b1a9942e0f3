"""Everything that is kept: plain SQL beside the function that runs it, rows turned into values in one place.

`migrations/` is the schema's whole truth. Functions take a connection (`asyncpg`) and leave the transaction to the
caller where they say so.
"""
