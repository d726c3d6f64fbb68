"""Wiring: the only room that builds objects. `station` (data folder, keys, store), `gate`, `centre`, `doctor`."""
