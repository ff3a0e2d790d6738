"""Whether the log is as it was written: every stored byte, every hash, every checkpoint.

Theory of operation. Of each event there are two independent copies: its bytes,
and the hash of its bytes in the Merkle log. One pass in the order of the feed
hashes the bytes and compares. In the same pass it checks that positions have no
gaps, that the columns beside the bytes say what the bytes say, and that the
versions of each stream count 1, 2, 3…; and of every full tile of hashes, that
the tile above holds its root. In the end it checks that no hash is left over:
each leaf stands once, in its full tile or at the edge. So what is changed in
one place shows against another, and it shows which event it is.

Beside that it looks at what is not sealed: the id of the log, its commands, its
tables and triggers.

Who changes everything consistently, tiles included, is found by checkpoints:
each must be signed by a key of this store, and its root be that of the log at
its size; and so must what the key store remembers to have signed last, so that
deleting the checkpoints hides nothing. Behind the last one nothing is found that
is changed consistently: how far that reaches is told. Against who can write the
key store as well, or put back an older one, only a checkpoint helps that
was kept elsewhere or that a witness has cosigned, and only the last of those
that holds tells how much is as it was. Without keys signatures are checked
against keys that are named, or not at all.

An append may go on beside all this: what is read is read until it agrees, or
until the log says that nothing more has come.
"""
