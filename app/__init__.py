"""Genba Touch (現場タッチ): card touches of a construction site, recorded and delivered exactly once."""
