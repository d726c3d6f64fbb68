"""Formats of files with touches: data files that say what is what (docs/import-formats.md), and who reads by them."""
