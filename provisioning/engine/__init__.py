"""Pure decisions: expressions, mapping, scope, plan. No Django, no I/O, no clock of its own."""
