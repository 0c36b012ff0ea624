"""Why each account, group and role exists, what was done about it and how long it took; also why not."""
