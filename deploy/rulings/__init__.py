"""An operator's rulings: merge and split of persons, lift of a protection marking. Each becomes a claim in the log."""
