"""Pages for people: charts and templates over the answers that programs get."""
