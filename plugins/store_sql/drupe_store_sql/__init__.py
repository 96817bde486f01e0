"""Tables, queries and metric series in SQLAlchemy Core, shared by the SQL stores. Registers nothing; see drupe-store-sqlite."""
