"""The pupil register's export, our own format `school-export.v1` with the names of SS 12000 (docs/formats/school.md)."""
