"""The options of each command and the parser that reads them; nothing here imports numpy, so help costs nothing."""
