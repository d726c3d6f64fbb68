"""A fictional site, virtual cards and a scripted morning: the demonstration."""
