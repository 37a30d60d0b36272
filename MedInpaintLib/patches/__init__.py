"""Patches: small neighbourhoods that are compared, learned from and copied."""
