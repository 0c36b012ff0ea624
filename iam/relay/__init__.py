"""What iam decided about names, told to the master as claims on `source.account.v1`."""
