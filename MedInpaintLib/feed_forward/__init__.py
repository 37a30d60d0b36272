"""Filling with networks that predict the hole in one pass."""
