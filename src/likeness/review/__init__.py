"""What did people decide? Cases, verdicts, authorisations, and standing searches that open cases.

All are functions over a connection; what is personal opens only with the key of its case.
"""
