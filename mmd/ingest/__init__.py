"""From source records to documents: claims, identities and derived documents in one transaction per batch."""
