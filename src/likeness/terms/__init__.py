"""What everything is called: frozen values and pure functions that all packages share."""
