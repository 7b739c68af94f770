"""What a sweep is to show: claims over its runs, the verdict on them, and its table."""
