"""The protocol of the interactive task of autoPET IV, beside this project's own."""
