"""What the result files hold, as models: ``metrics.json``, ``bit_exactness.json``, ``report.json``.

A room writes a file through its model and every later room reads attributes of it; the JSON schemas
are made from the models.
"""
