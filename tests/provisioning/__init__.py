"""Provisioning: files that IT makes, and the first start."""
