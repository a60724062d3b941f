"""The set-based SQL of the hot path, in one place: COPY, merge, diff, bookkeeping."""
