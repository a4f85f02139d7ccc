"""Do in the background what no call waits for; one file a loop, and runner.py for all of them."""
