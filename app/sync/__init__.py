"""Sync: the contract with the centre (`wire`), push, pull and the engine that runs them."""
