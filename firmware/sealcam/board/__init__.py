"""The edges: one device or library a file, each behind a protocol of `board.protocols`, each with its fake."""
