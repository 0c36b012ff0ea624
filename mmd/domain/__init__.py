"""The pure heart of the master: from what sources said to documents, and from documents to what a reader may see."""
