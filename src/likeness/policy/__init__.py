"""May this be done? Rules in Cedar, in packs that the operator enables."""
