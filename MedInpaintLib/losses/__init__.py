"""Losses: small objects, one idea a file; each docstring is the formula and its source. All need torch."""
