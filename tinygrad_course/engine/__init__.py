"""The engine: a table of operations, the record, the walk, and Value."""
