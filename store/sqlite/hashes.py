"""The hashes of the Merkle log in an SQLite file: the tiles, and the edge behind them."""

import sqlite3
from collections.abc import Sequence

from store.recorder import damaged_hashes
from store.seals.merkle import HASH_BYTES
from store.seals.tiles import TILE_WIDTH, new_tiles
from store.sqlite import statements as sql


class Hashes:
    """Reads the stored hashes, inside a transaction or outside of one."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def tile(self, level: int, number: int) -> bytes | None:
        row = self._cursor.execute(sql.SELECT_TILE, (level, number)).fetchone()
        return None if row is None else bytes(row[0])

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        number = first // TILE_WIDTH
        tile = self.tile(0, number)
        if tile is None:
            found = [leaf for (leaf,) in self._cursor.execute(sql.SELECT_EDGE, (first, last))]
            # Between the two statements an append may have filled the tile and emptied the edge.
            tile = None if len(found) == last - first else self.tile(0, number)
            if tile is None:
                return found
        start = number * TILE_WIDTH
        return [
            tile[HASH_BYTES * place : HASH_BYTES * (place + 1)]
            for place in range(first - start, last - start)
        ]


def seal(cursor: sqlite3.Cursor, before: int, leaves: Sequence[bytes]) -> None:
    """Add the leaves behind the first `before` ones."""
    head = before + len(leaves)
    edge = head - head % TILE_WIDTH
    if before < edge:
        with damaged_hashes():
            tiles = new_tiles(Hashes(cursor), before, leaves)
        cursor.executemany(sql.INSERT_TILE, [(one.level, one.number, one.hashes) for one in tiles])
        cursor.execute(sql.DELETE_EDGE, (edge,))
    first = max(before, edge)
    cursor.executemany(sql.INSERT_EDGE, enumerate(leaves[first - before :], start=first + 1))
