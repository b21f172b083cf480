"""HTTP as all doors share it: the socket, who calls, how much, how often, and what is noted."""
