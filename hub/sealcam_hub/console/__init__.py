"""The owner's console: server-rendered pages over the ledger, live by server-sent events."""
