"""Reports: stable JSON keys, Markdown, a self-contained HTML page, comparisons."""
