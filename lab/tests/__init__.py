"""Tests of the laboratory, on real servers."""
