"""What every use goes through: admitted by the rules, recorded, released, proven by a receipt."""
