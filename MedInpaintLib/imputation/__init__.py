"""Imputation: a contrast that is missing, from the others of the same subject."""
