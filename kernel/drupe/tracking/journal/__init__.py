"""The journal: what a process logs is in a file before the call returns, and in the store soon after.

`writer` appends, `cursor` reads, `folding` makes parcels of what was read, `shipping` brings them to the store, `outbox` knows all journals of
this process, `adoption` those that dead processes have left, `places` where they lie. The bytes are in `layout`.
"""
