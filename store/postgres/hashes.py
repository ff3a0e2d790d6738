"""The hashes of the Merkle log on PostgreSQL: the tiles, and the edge behind them."""

from collections.abc import Sequence

from store.postgres import statements as sql
from store.postgres.connections import Cursor
from store.postgres.values import in_columns, one_number
from store.seals.merkle import HASH_BYTES
from store.seals.tiles import TILE_WIDTH, MissingHashes, new_tiles

TILES_PER_TRANSACTION = 256


class Hashes:
    """Reads the stored hashes over one cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def tile(self, level: int, number: int) -> bytes | None:
        row = self._cursor.execute(sql.SELECT_TILE, (level, number)).fetchone()
        return None if row is None else row[0]

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        number = first // TILE_WIDTH
        row = self._cursor.execute(sql.SELECT_LEAVES, (number, first, last)).fetchone()
        assert row is not None
        tile, edge = row
        if tile is None:
            found: list[bytes] = edge
            return found
        start = number * TILE_WIDTH
        return [
            tile[HASH_BYTES * place : HASH_BYTES * (place + 1)]
            for place in range(first - start, last - start)
        ]


def unwritten_tiles(cursor: Cursor, head: int) -> range:
    """The numbers of the full tiles of the first `head` leaves that are not written."""
    return range(one_number(cursor.execute(sql.SELECT_FULL_TILES)), head // TILE_WIDTH)


def write_tiles(cursor: Cursor, head: int) -> bool:
    """Write full tiles of the first `head` leaves, some hundreds at most.

    In a transaction that has the lock of the tiles. Answers whether some are left.
    Raises ProofError where hashes are missing.
    """
    unwritten = unwritten_tiles(cursor, head)
    some = unwritten[:TILES_PER_TRANSACTION]
    if some:
        before, behind = some.start * TILE_WIDTH, some.stop * TILE_WIDTH
        leaves = [leaf for (leaf,) in cursor.execute(sql.SELECT_EDGE, (before, behind))]
        if len(leaves) != behind - before:
            raise MissingHashes(f"the edge has {len(leaves)} of {behind - before} leaves")
        seal(cursor, before, leaves)
    return len(some) < len(unwritten)


def seal(cursor: Cursor, before: int, leaves: Sequence[bytes]) -> None:
    """Write the tiles that the leaves behind `before` fill, and the edge behind these.

    In a transaction that has the lock of the tiles, and all full ones are written.
    """
    head = before + len(leaves)
    edge = head - head % TILE_WIDTH
    if before < edge:
        tiles = new_tiles(Hashes(cursor), before, leaves)
        columns = in_columns([(one.level, one.number, one.hashes) for one in tiles], 3)
        cursor.execute(sql.INSERT_TILES, columns)
        cursor.execute(sql.DELETE_EDGE, (edge,))
    rest = list(enumerate(leaves[max(before, edge) - before :], start=max(before, edge) + 1))
    if rest:
        cursor.execute(sql.INSERT_EDGE, in_columns(rest, 2))
