"""What is special to a task, as values and functions; the rooms behind are handed one of them."""
