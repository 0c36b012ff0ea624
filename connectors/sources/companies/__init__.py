"""Base data of legal organisations, our own format `company-export.v1` (docs/formats/companies.md)."""
