"""Target systems behind one port."""
