"""Readers: one file per vendor library. Every road ends in `port.CardSeen` and `port.ReaderState`."""
