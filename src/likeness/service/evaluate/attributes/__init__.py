"""Answers about people's attributes, sex or age, of systems that guess them: judged by labels."""
