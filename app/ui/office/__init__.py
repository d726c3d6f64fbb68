"""The office's pages: month, imports, delivery. They know `app.office.port` and never the store."""
