"""Reading and writing images: what a file consists of, and the readers and writers of its format."""
