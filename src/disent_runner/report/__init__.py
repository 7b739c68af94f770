"""`disent-report`: many run folders become one table, plots and a page.

Run folders are read, never changed: `runs` reads them, `settings` finds what differs between them, `pooling` puts those
together that differ in the seed alone, and `tables`, `plots`, `udr` and `page` say what came out.
"""
