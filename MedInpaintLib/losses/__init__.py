"""Losses: small objects, one idea per file; each docstring is the formula and its source. All need torch."""
