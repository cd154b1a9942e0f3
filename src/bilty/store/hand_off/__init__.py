"""Hand-off, in the database: events, the endpoints that are told, and what is owed to each."""
