"""The gate: card seen → verdict → commit → announce."""
