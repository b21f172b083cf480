"""What all commands share: words, bars, questions, exit codes."""
