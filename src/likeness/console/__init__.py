"""Pages for people: they sign in, look, and decide. Every act is one of `service`."""
