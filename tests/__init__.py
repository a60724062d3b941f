"""Tests that cross parts."""
