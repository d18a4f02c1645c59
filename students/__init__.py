"""Pupils: where they study and how they were recognised."""
