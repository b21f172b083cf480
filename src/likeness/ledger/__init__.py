"""What was done, provably? Entries in a Merkle tree, its head signed, receipts for anybody."""
