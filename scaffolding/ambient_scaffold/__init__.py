"""Writes the folder of a new kind: declaration, migration and one test; the framework does the rest."""
