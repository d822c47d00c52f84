"""How a database comes to have the tables; run by `database.migrate`, one step a file in ``versions/``."""
