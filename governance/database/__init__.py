"""The database of Tiergate's own state, and the migrations of whoever keeps tables in it."""

from governance.database.database import Database, DatabaseAway
from governance.database.dialects import dialect_of, for_each_dialect
from governance.database.engine import close_engine, open_engine
from governance.database.migration import Migrations, NewerDatabase, migrate, one_at_a_time
from governance.database.turn import URGENT

__all__ = [
    "URGENT",
    "Database",
    "DatabaseAway",
    "Migrations",
    "NewerDatabase",
    "close_engine",
    "dialect_of",
    "for_each_dialect",
    "migrate",
    "one_at_a_time",
    "open_engine",
]
