"""What each command of ``seganypet`` does; one file per command, loaded when it is called."""
